import { describe, expect, test } from 'vitest';
import { authSchema } from '../../functions/shared/environment.ts';
import { readConfiguration } from '../../infra/config.ts';

const issuesOf = (context: Record<string, unknown>): string[] => {
  try {
    readConfiguration(context);
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
};

describe('the configuration', () => {
  test('has a default for every setting', () => {
    expect(readConfiguration({})).toEqual({
      stackName: 'firstframe',
      region: 'singapore',
      wanBaseUrl: 'https://dashscope-intl.aliyuncs.com/api/v1',
      imageTransfer: 'url',
      rotatedImages: 'accept',
      watermark: 'requested',
      removalPolicy: 'retain',
      limitSettings: { extra_permits: 2, models: {} },
      catalogue: {},
      wanQueriesPerSecond: 10,
      uncertainSeconds: 120,
      trustedOrigins: [],
      loopbackWebhooks: false,
      prices: {},
      videoHosts: [],
      cors: [],
      drop: {
        owner: 'drops',
        model: 'wan2.2-i2v-flash',
        prompt: expect.any(String),
        sidecarSeconds: 10,
        copyVideo: false,
        owners: 'one',
      },
      auth: { mode: 'api-key' },
      monthlySpendingLimit: 100,
      logRetentionDays: 30,
      retention: {},
      dashboard: true,
      ownerThrottle: { rate: 50, burst: 100 },
      longPolls: { per_owner: 10, total: 50 },
      apiThrottle: { rate: 500, burst: 1000 },
    });
  });

  test('uses the URL of Beijing and its upload for images with region = "beijing"', () => {
    expect(readConfiguration({ region: 'beijing' })).toMatchObject({
      wanBaseUrl: 'https://dashscope.aliyuncs.com/api/v1',
      imageTransfer: 'upload',
    });
  });

  test('parses text from the command line as JSON, which overrides the object in cdk.json', () => {
    const context = {
      firstframe: { extraPermits: 1, region: 'beijing' },
      extraPermits: '3',
      typicalSeconds: '6.5',
      trustedOrigins: '["http://127.0.0.1:4401"]',
      limits: '{"wan2.2-i2v-plus":{"submits_per_second":1}}',
      apiThrottle: '{"rate":5}',
    };
    expect(readConfiguration(context)).toMatchObject({
      region: 'beijing',
      limitSettings: { extra_permits: 3, models: { 'wan2.2-i2v-plus': { submits_per_second: 1 } } },
      typicalSeconds: 6.5,
      trustedOrigins: ['http://127.0.0.1:4401'],
      apiThrottle: { rate: 5, burst: 1000 },
    });
  });

  test('lets half of the reserved concurrency wait by default, and never all of it', () => {
    const totalOf = (settings: object) => readConfiguration({ firstframe: settings }).longPolls.total;
    expect(totalOf({ apiConcurrency: 20 })).toBe(10);
    expect(totalOf({ apiConcurrency: 1 })).toBe(0);
    expect(totalOf({ apiConcurrency: 20, longPolls: { total: 19 } })).toBe(19);
    expect(issuesOf({ apiConcurrency: 20, longPolls: { total: 20 } })).toEqual([
      expect.stringContaining('longPolls.total = 20: must be below apiConcurrency = 20'),
    ]);
  });

  test('refuses a burst of an owner that takes longer than the rate limiter remembers', () => {
    expect(issuesOf({ ownerThrottle: { rate: 2, burst: 1000 } })).toEqual([]);
    expect(issuesOf({ ownerThrottle: { rate: 2, burst: 1001 } })).toEqual([
      expect.stringContaining('ownerThrottle.burst = 1001: must be at most 500 times ownerThrottle.rate, which is 2'),
    ]);
  });

  test("ignores the CDK's own context keys", () => {
    const own = { '@aws-cdk/core:x': true, 'aws:cdk:y': 1, 'acknowledged-issue-numbers': [1], 'cli-telemetry': false };
    expect(issuesOf(own)).toEqual([]);
  });

  test('allows plain http to Wan only for a trusted origin', () => {
    const wanBaseUrl = 'http://127.0.0.1:4401/api/v1';
    expect(issuesOf({ wanBaseUrl, trustedOrigins: ['http://127.0.0.1:4401'] })).toEqual([]);
    expect(issuesOf({ wanBaseUrl, trustedOrigins: ['http://127.0.0.1:4402'] })).toHaveLength(1);
  });

  test("allows webhooks to the loopback address only on a developer's machine, whose emulator is a trusted origin", () => {
    expect(issuesOf({ loopbackWebhooks: true, trustedOrigins: ['http://127.0.0.1:4401'] })).toEqual([]);
    expect(issuesOf({ loopbackWebhooks: true })).toEqual([expect.stringMatching(/^loopbackWebhooks = true: only for/)]);
    expect(issuesOf({ loopbackWebhooks: true, trustedOrigins: [] })).toHaveLength(1);
    expect(issuesOf({ loopbackWebhooks: false })).toEqual([]);
  });

  test('allows a short uncertainSeconds only with the emulator', () => {
    const emulator = { wanBaseUrl: 'http://127.0.0.1:4401/api/v1', trustedOrigins: ['http://127.0.0.1:4401'] };
    expect(issuesOf({ ...emulator, uncertainSeconds: 3 })).toEqual([]);
    expect(issuesOf({ uncertainSeconds: 100 })).toEqual([]);
    expect(issuesOf({ uncertainSeconds: 99 })).toEqual([
      expect.stringMatching(/^uncertainSeconds = 99: must be 100 or more/),
    ]);
  });

  test('limits the monthly spending of an owner unless monthlySpendingLimit is none', () => {
    expect(readConfiguration({ monthlySpendingLimit: '2.5' }).monthlySpendingLimit).toBe(2.5);
    expect(readConfiguration({ monthlySpendingLimit: 'none' }).monthlySpendingLimit).toBeUndefined();
    expect(readConfiguration({ firstframe: { monthlySpendingLimit: 'none' } }).monthlySpendingLimit).toBeUndefined();
  });

  test.each([0.01, 1_000_000_000])(
    'represents a limit of %d exactly in millionths, even three times as much',
    (limit) => {
      const { monthlySpendingLimit } = readConfiguration({ monthlySpendingLimit: limit });
      expect(monthlySpendingLimit).toBe(limit);
      expect(Number.isSafeInteger(Math.round(limit * 1_000_000) * 3)).toBe(true);
    },
  );

  test('authenticates callers by API key, by token of an identity provider, or by AWS signature', () => {
    expect(readConfiguration({ auth: 'api-key' }).auth).toEqual({ mode: 'api-key' });
    expect(readConfiguration({ auth: 'iam' }).auth).toEqual({ mode: 'iam' });
    const jwt = { issuer: 'https://id.example/pool/', audience: 'firstframe' };
    expect(readConfiguration({ auth: 'jwt', jwt: JSON.stringify(jwt) }).auth).toEqual({
      mode: 'jwt',
      issuer: 'https://id.example/pool/',
      audience: 'firstframe',
      owner_claim: 'sub',
      jwks_url: 'https://id.example/pool/.well-known/jwks.json',
    });
    const own = { ...jwt, ownerClaim: 'email', jwksUrl: 'https://keys.example/v1/keys' };
    expect(readConfiguration({ auth: 'jwt', jwt: own }).auth).toMatchObject({
      owner_claim: 'email',
      jwks_url: 'https://keys.example/v1/keys',
    });
  });

  test('fetches the keys of an issuer over https, or from a trusted origin on this machine', () => {
    const here = { issuer: 'http://127.0.0.1:9000', audience: 'a' };
    expect(issuesOf({ auth: 'jwt', jwt: here, trustedOrigins: ['http://127.0.0.1:9000'] })).toEqual([]);
    const elsewhere = { ...here, issuer: 'http://name.example', jwksUrl: 'https://id.example/keys' };
    expect(issuesOf({ auth: 'jwt', jwt: elsewhere })).toEqual([]);
  });

  test('accepts an issuer that is only a name if jwksUrl is set', () => {
    const jwt = { issuer: 'urn:example:pool 7', audience: 'a', jwksUrl: 'https://id.example/keys' };
    const { auth } = readConfiguration({ auth: 'jwt', jwt });
    expect(auth).toMatchObject({ issuer: 'urn:example:pool 7', jwks_url: 'https://id.example/keys' });
    // The authorizer function accepts it as well.
    expect(authSchema.safeParse(auth).success).toBe(true);
  });

  test('has an optional address for alarms, as plain text', () => {
    expect(readConfiguration({}).alarmEmail).toBeUndefined();
    expect(readConfiguration({ alarmEmail: 'ops@example.com' }).alarmEmail).toBe('ops@example.com');
    // Text on the command line, even if it could be parsed as JSON.
    expect(issuesOf({ alarmEmail: '12' })).toEqual(['alarmEmail = "12": must be an e-mail address']);
  });

  test('has a web application firewall if its limit is set', () => {
    expect(readConfiguration({}).waf).toBeUndefined();
    expect(readConfiguration({ waf: '{"requestsPer5Minutes":500}' }).waf).toEqual({ requestsPer5Minutes: 500 });
  });

  test("accepts a workspace's own base URL of Wan", () => {
    const wanBaseUrl = 'https://ws-1.ap-southeast-1.maas.aliyuncs.com/api/v1';
    expect(readConfiguration({ wanBaseUrl }).wanBaseUrl).toBe(wanBaseUrl);
  });
});

describe('catalogue.json', () => {
  const usd = { currency: 'USD', as_of: '2026-12-01', per_second: { '720P': 0.2, '1080P': 0.3 } };

  test('changes rows and adds models', () => {
    const file = { 'wan2.1-i2v-plus': { offered: false }, 'wan9.9-i2v': { family: 'wan2.6-i2v', prices: usd } };
    expect(readConfiguration({}, file).catalogue).toEqual(file);
  });

  test.each([
    [{ 'wan9.9-i2v': {} }, {}, /catalogue\.json: wan9\.9-i2v\.family: must name the model/],
    [
      { 'wan2.6-i2v': { prices: usd } },
      { region: 'beijing' },
      /prices\.currency: must be CNY, the currency of beijing/,
    ],
    [
      Object.fromEntries(Array.from({ length: 99 }, (_, n) => [`wan${n}`, { family: 'wan2.6-i2v' }])),
      {},
      /2000 characters/,
    ],
    [[], {}, /catalogue\.json/],
  ])('stops the synthesis with what is wrong', (file, context, expected) => {
    expect(() => readConfiguration(context, file)).toThrow(expected);
  });
});

test('the base URL follows from the region, or from the workspace', () => {
  const baseUrl = (context: object) => readConfiguration({ ...context }).wanBaseUrl;
  expect(baseUrl({ region: 'virginia' })).toBe('https://dashscope-us.aliyuncs.com/api/v1');
  expect(baseUrl({ region: 'hongkong' })).toBe('https://cn-hongkong.dashscope.aliyuncs.com/api/v1');
  const frankfurt = { region: 'frankfurt', workspaceId: 'ws-1' };
  expect(baseUrl(frankfurt)).toBe('https://ws-1.eu-central-1.maas.aliyuncs.com/api/v1');
  expect(() => baseUrl({ region: 'frankfurt' })).toThrow(/no public domain. Set workspaceId/);
});

describe('an invalid configuration', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    [
      'region',
      { region: 'tokyo' },
      /^region = "tokyo": must be one of "singapore", "beijing", "virginia", "hongkong", "frankfurt"$/,
    ],
    [
      'an unknown setting',
      { regoin: 'beijing' },
      /^regoin = "beijing": unknown setting\. Use one of stackName, region/,
    ],
    ['an unknown setting in cdk.json', { firstframe: { regoin: 1 } }, /^regoin = 1: unknown setting/],
    ['settings that are not an object', { firstframe: 'beijing' }, /^firstframe = "beijing": must be an object/],
    ['a plain http URL', { wanBaseUrl: 'http://wan.example/api/v1' }, /^wanBaseUrl = "http:.*must be https/],
    ['a URL without /api/v1', { wanBaseUrl: 'https://wan.example/' }, /^wanBaseUrl = .*ends in \/api\/v1/],
    ['a URL with a query', { wanBaseUrl: 'https://wan.example/?x=/api/v1' }, /^wanBaseUrl = .*without.*query/],
    ['a URL with credentials', { wanBaseUrl: 'https://a:b@wan.example/api/v1' }, /^wanBaseUrl = .*credentials/],
    ['not a URL', { wanBaseUrl: 'wan' }, /^wanBaseUrl = "wan": must be an http\(s\) URL that ends/],
    [
      'a presigned URL for Beijing',
      { region: 'beijing', imageTransfer: 'url' },
      /^imageTransfer = "url": not with region = "beijing"/,
    ],
    ['removalPolicy', { removalPolicy: 'keep' }, /^removalPolicy = "keep": must be one of "retain", "destroy"$/],
    [
      'an unknown model',
      { limits: { 'wan9-i2v': {} } },
      /^limits\.wan9-i2v = \{\}: unknown setting\. Use one of wan2\.6-i2v/,
    ],
    [
      'an unknown limit',
      { limits: { 'wan2.6-i2v': { rate: 1 } } },
      /^limits\.wan2\.6-i2v\.rate = 1: unknown setting\. Use one of submits_per_second, concurrent_tasks/,
    ],
    [
      'a limit of zero',
      { limits: { 'wan2.6-i2v': { concurrent_tasks: 0 } } },
      /^limits\.wan2\.6-i2v\.concurrent_tasks = 0: must be a whole number from 1/,
    ],
    ['extraPermits', { extraPermits: '-1' }, /^extraPermits = -1: must be a whole number from 0 to 100$/],
    ['uncertainSeconds', { uncertainSeconds: 3600 }, /^uncertainSeconds = 3600: .*up to 1800$/],
    ['typicalSeconds', { typicalSeconds: 'soon' }, /^typicalSeconds = "soon": .*number/],
    [
      'an origin that is not loopback',
      { trustedOrigins: ['http://10.0.0.1:80'] },
      /^trustedOrigins\.0 = "http:\/\/10\.0\.0\.1:80": .*loopback/,
    ],
    ['an origin with a path', { trustedOrigins: ['http://127.0.0.1:80/x'] }, /^trustedOrigins\.0 = .*loopback/],
    ['an origin that only looks like loopback', { trustedOrigins: ['http://127.0.0.1.example'] }, /loopback/],
    ['an unknown model for drops', { drop: { model: 'wan9' } }, /^drop\.model = "wan9": .*"wan2\.6-i2v"/],
    ['a model for drops that needs a workspace', { drop: { model: 'wan3.0-video' } }, /^drop\.model = .*"workspaceId"/],
    ['a model for drops without a price', { drop: { model: 'wan2.6-i2v-flash' } }, /^drop\.model = .*"prices"/],
    [
      'a workspace and a base URL',
      { workspaceId: 'ws-1', wanBaseUrl: 'https://proxy.example/api/v1' },
      /^workspaceId = .*wanBaseUrl/,
    ],
    ['a price that is no number', { prices: { 'wan2.6-i2v': { '720P': '0.1' } } }, /^prices\.wan2\.6-i2v\.720P = /],
    [
      'an unknown setting of drops',
      { drop: { mode: 1 } },
      /^drop\.mode = 1: unknown setting\. Use one of owner, model, prompt, parameters/,
    ],
    ['logRetentionDays', { logRetentionDays: '31' }, /^logRetentionDays = 31: .*30, 60/],
    ['apiThrottle', { apiThrottle: { rate: 0 } }, /^apiThrottle\.rate = 0: .*above 0$/],
    [
      'an unknown setting of the throttle',
      { apiThrottle: { rps: 1 } },
      /^apiThrottle\.rps = 1: unknown setting\. Use one of rate, burst/,
    ],
    ['auth', { auth: 'none' }, /^auth = "none": must be one of "api-key", "jwt", "iam"$/],
    ['an empty auth', { auth: '' }, /^auth = "": .*"api-key"/],
    ['tokens without an issuer', { auth: 'jwt' }, /^auth = "jwt": requires the setting jwt/],
    [
      'an issuer with API keys',
      { jwt: { issuer: 'https://id.example', audience: 'a' } },
      /^jwt = \{.*\}: not with auth = "api-key"/,
    ],
    [
      'an issuer with signatures',
      { auth: 'iam', jwt: { issuer: 'https://id.example', audience: 'a' } },
      /^jwt = \{.*\}: not with auth = "iam"/,
    ],
    [
      'tokens without an audience',
      { auth: 'jwt', jwt: { issuer: 'https://id.example' } },
      /^jwt\.audience = \(missing\): must be a non-empty string/,
    ],
    [
      'keys over plain http',
      { auth: 'jwt', jwt: { issuer: 'http://id.example', audience: 'a' } },
      /^jwt\.issuer = "http:\/\/id\.example": must be https/,
    ],
    [
      'keys at jwksUrl over plain http',
      { auth: 'jwt', jwt: { issuer: 'https://id.example', audience: 'a', jwksUrl: 'http://127.0.0.1:80/keys' } },
      /^jwt\.jwksUrl = "http:\/\/127\.0\.0\.1:80\/keys": must be https/,
    ],
    [
      'an issuer that is not a URL',
      { auth: 'jwt', jwt: { issuer: 'id.example', audience: 'a' } },
      /^jwt\.issuer = "id\.example": must be an http\(s\) URL/,
    ],
    [
      'an issuer with credentials',
      { auth: 'jwt', jwt: { issuer: 'https://a:b@id.example', audience: 'a' } },
      /^jwt\.issuer = .*credentials/,
    ],
    [
      'an unknown setting of tokens',
      { auth: 'jwt', jwt: { issuer: 'https://id.example', audience: 'a', claim: 'x' } },
      /^jwt\.claim = "x": unknown setting\. Use one of issuer, audience, ownerClaim, jwksUrl/,
    ],
    [
      'a limit of the firewall below the minimum',
      { waf: { requestsPer5Minutes: 1 } },
      /^waf\.requestsPer5Minutes = 1: .*from 10 to 2000000000$/,
    ],
    [
      'an unknown setting of the firewall',
      { waf: { requestsPer5Minutes: 100, rules: [] } },
      /^waf\.rules = \[\]: unknown setting\. Use one of requestsPer5Minutes/,
    ],
  ])('is an error that names the value and what is allowed: %s', (_, context, expected) => {
    const issues = issuesOf(context);
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatch(expected);
  });

  test('lists all issues in one error', () => {
    const issues = issuesOf({
      region: 'beijing',
      imageTransfer: 'url',
      extraPermits: 'x',
      foo: 1,
      wanBaseUrl: 'http://a/api/v1',
    });
    expect(issues.map((line) => line.split(' ')[0]).sort()).toEqual([
      'extraPermits',
      'foo',
      'imageTransfer',
      'wanBaseUrl',
    ]);
  });
});
