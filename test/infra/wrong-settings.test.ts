import { describe, expect, test } from 'vitest';
import { readConfiguration } from '../../infra/config.ts';
import { settingNames } from '../../infra/settings.ts';

/** Returns the error message of a configuration without its first line. */
const messageOf = (context: Record<string, unknown>): string => {
  try {
    readConfiguration(context);
  } catch (error) {
    return (error as Error).message.split('\n').slice(1).join('\n').trim();
  }
  throw new Error('The configuration is valid.');
};

const aboutSpending = 'must be a number from 0.01 to 1000000000, or "none"';
const certificateArn = 'arn:aws:acm:eu-central-1:123456789012:certificate/a';
const tokens = (jwt: unknown) => ({ auth: 'jwt', jwt });
const limitsOf = (limits: unknown) => ({ limits: { 'wan2.6-i2v': limits } });

/** Invalid settings, with texts that the error message must contain. */
const wrong: [Record<string, unknown>, ...string[]][] = [
  [{ firstframe: [] }, 'firstframe = []: must be an object of settings'],
  [{ firstframe: null }, 'firstframe = null: must be an object of settings'],
  [{ stackName: 'a_b' }, 'stackName = "a_b": must be 1 to 64 letters, digits and hyphens'],
  [{ stackName: '' }, 'stackName = "": must be 1 to 64 letters'],
  [{ region: 5 }, 'region = 5: must be one of "singapore", "beijing"'],
  [{ region: null }, 'must be one of "singapore"'],
  [{ wanBaseUrl: 5 }, 'must be an http(s) URL that ends in /api/v1'],
  [{ imageTransfer: true }, 'must be one of "url", "upload"'],
  [{ rotatedImages: false }, 'must be one of "accept", "refuse"'],
  [{ removalPolicy: [] }, 'must be one of "retain", "destroy"'],
  [{ limits: true }, 'limits = true: must be an object of limits'],
  [{ limits: [] }, 'limits = []: must be an object of limits'],
  [limitsOf(5), 'must be an object {"submits_per_second": N'],
  [limitsOf([]), 'must be an object {"submits_per_second": N'],
  [limitsOf({ submits_per_second: 0 }), 'submits_per_second = 0: must be a number above 0'],
  [limitsOf({ concurrent_tasks: 1.5 }), 'concurrent_tasks = 1.5: must be a whole number from 1'],
  [{ extraPermits: '1.5' }, 'extraPermits = 1.5: must be a whole number from 0 to 100'],
  [{ extraPermits: 101 }, 'must be a whole number from 0 to 100'],
  [{ typicalSeconds: 0 }, 'must be a number above 0'],
  [{ uncertainSeconds: true }, 'must be a number above 0, up to 1800'],
  [{ trustedOrigins: 'http://127.0.0.1' }, 'must be a list of loopback http origins'],
  [{ trustedOrigins: [5] }, 'trustedOrigins.0 = 5: must be a loopback http origin'],
  [{ videoHosts: 'a.example' }, 'must be a list of host names'],
  ...[
    5,
    '',
    'example',
    'https://a.example',
    'a.example/',
    'a.example:443',
    'u@a.example',
    'a.example.',
    '.a.example',
    '*.a.example',
    'A.example',
    'bücher.example',
    'a_b.example',
    '127.0.0.1',
    '0x7f.1',
    '[::1]',
    `${'a.'.repeat(126)}example`,
  ].map((host): [Record<string, unknown>, string] => [
    { videoHosts: ['a.example', host] },
    `videoHosts.1 = ${JSON.stringify(host)}: must be the exact name of a host in lower case`,
  ]),
  [{ drop: [] }, 'drop = []: must be an object of settings of drops'],
  [{ drop: { owner: 5 } }, 'drop.owner = 5: must be 1 to 64 of'],
  [{ drop: { owner: 'a#b' } }, 'drop.owner = "a#b": must be 1 to 64 of'],
  [{ drop: { prompt: 5 } }, 'drop.prompt = 5: must be a string'],
  [{ drop: { parameters: [] } }, 'drop.parameters = []: must be an object of parameters'],
  [{ drop: { sidecarSeconds: -1 } }, 'drop.sidecarSeconds = -1: must be a whole number from 0 to 900'],
  [{ drop: { copyVideo: 'yes' } }, 'drop.copyVideo = "yes": must be true or false'],
  [{ drop: { owners: { 'a/b': 'alice' } } }, 'must be "one", "folders", or an object {"<top folder>": "<owner>"}'],
  [{ drop: { owners: { team: 'a#b' } } }, 'must be "one", "folders", or an object'],
  [{ drop: { model: null } }, 'drop.model = null: must be one of', '"wan2.2-i2v-flash"'],
  [{ auth: true }, 'auth = true: must be one of "api-key", "jwt", "iam"'],
  [tokens(5), 'jwt = 5: must be an object {"issuer"'],
  [tokens([]), 'jwt = []: must be an object {"issuer"'],
  [
    tokens({}),
    'jwt.issuer = (missing): must be a non-empty string',
    'jwt.audience = (missing): must be a non-empty string',
  ],
  [tokens({ issuer: '', audience: 'a' }), 'jwt.issuer = "": must be a non-empty string'],
  [tokens({ issuer: 'a name', audience: 'a' }), 'must be an http(s) URL', 'Otherwise set "jwksUrl"'],
  [tokens({ issuer: 'https://id.example', audience: 5 }), 'jwt.audience = 5: must be a non-empty string'],
  [
    tokens({ issuer: 'a', audience: 'a', ownerClaim: '', jwksUrl: 'https://a' }),
    'jwt.ownerClaim = "": must be a non-empty string',
  ],
  [tokens({ issuer: 'a', audience: 'a', jwksUrl: 5 }), 'jwt.jwksUrl = 5: must be an http(s) URL without'],
  [tokens({ issuer: 'a', audience: 'a', jwksUrl: 'keys' }), 'jwt.jwksUrl = "keys": must be an http(s) URL without'],
  ...[0, -1, 'much', '', true, false, null, [], {}, 0.0000001, 0.009, 1_000_000_001, 9e9, 1e308].map(
    (monthlySpendingLimit): [Record<string, unknown>, string] => [
      { monthlySpendingLimit },
      `monthlySpendingLimit = ${JSON.stringify(monthlySpendingLimit)}: ${aboutSpending}`,
    ],
  ),
  [{ logRetentionDays: '"30"' }, 'logRetentionDays = "30": must be one of 1, 3, 5'],
  [{ alarmEmail: 5 }, 'alarmEmail = 5: must be an e-mail address'],
  [{ alarmEmail: 'ops' }, 'alarmEmail = "ops": must be an e-mail address'],
  [{ alarmEmail: '' }, 'alarmEmail = "": must be an e-mail address'],
  [{ apiThrottle: 50 }, 'apiThrottle = 50: must be an object {"rate": N, "burst": N}'],
  [{ apiThrottle: { rate: '5' } }, 'apiThrottle.rate = "5": must be a number above 0'],
  [{ apiThrottle: { burst: 0 } }, 'apiThrottle.burst = 0: must be a whole number from 1'],
  [{ apiConcurrency: 0 }, 'apiConcurrency = 0: must be a whole number from 1 to 10000'],
  [{ apiConcurrency: 'all' }, 'apiConcurrency = "all": must be a whole number from 1 to 10000'],
  [{ waf: true }, 'waf = true: must be an object {"requestsPer5Minutes": N}'],
  [{ waf: 5000 }, 'waf = 5000: must be an object {"requestsPer5Minutes": N}'],
  [{ waf: [] }, 'waf = []: must be an object {"requestsPer5Minutes": N}'],
  [{ waf: {} }, 'waf.requestsPer5Minutes = (missing): must be a whole number from 10 to 2000000000'],
  [{ domain: 'a.example' }, 'domain = "a.example": must be an object {"name": "…", "certificateArn": "…"}'],
  [{ domain: { name: 'a.example' } }, 'domain.certificateArn = (missing): must be the ARN of a certificate'],
  [{ domain: { certificateArn } }, 'domain.name = (missing): must be the name of a host in lower case'],
  ...['https://a.example', 'A.example', '*.a.example', 'a.example/v1'].map(
    (name): [Record<string, unknown>, string] => [
      { domain: { name, certificateArn } },
      `domain.name = ${JSON.stringify(name)}: must be the name of a host in lower case`,
    ],
  ),
  ...['/v1', 'a/b', '', 'a b'].map((basePath): [Record<string, unknown>, string] => [
    { domain: { name: 'a.example', certificateArn, basePath } },
    `domain.basePath = ${JSON.stringify(basePath)}: must be 1 to 64 letters, digits, hyphens and underscores`,
  ]),
  [
    { domain: { name: 'a.example', certificateArn }, kmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/a' },
    'domain.certificateArn = "arn:aws:acm:eu-central-1:123456789012:certificate/a": must be in the region of kmsKeyArn, us-east-1',
  ],
  ...['alias/mine', 'arn:aws:kms:eu-central-1:123456789012:alias/mine', 'a1b2'].map(
    (kmsKeyArn): [Record<string, unknown>, string] => [
      { kmsKeyArn },
      `kmsKeyArn = ${JSON.stringify(kmsKeyArn)}: must be the ARN of a key, not of an alias`,
    ],
  ),
  [
    { permissionsBoundary: 'Boundary' },
    'permissionsBoundary = "Boundary": must be the ARN of a managed policy: arn:aws:iam::ACCOUNT:policy/NAME',
  ],
  [{ tags: ['team'] }, 'tags = ["team"]: must be an object of at most 40 tags'],
  [{ tags: { 'AWS:team': 'a' } }, 'and no key that starts with "aws:"', 'must be an object of at most 40 tags'],
  [{ tags: { team: 5 } }, 'tags = {"team":5}: must be an object of at most 40 tags'],
  [
    { tags: Object.fromEntries(Array.from({ length: 41 }, (_, index) => [`tag-${index}`, ''])) },
    'must be an object of at most 40 tags',
  ],
  ...['Logs', 's3://logs', 'a', '10.0.0.1', 'a..b'].map((accessLogBucket): [Record<string, unknown>, string] => [
    { accessLogBucket },
    `accessLogBucket = ${JSON.stringify(accessLogBucket)}: must be the name of a bucket`,
  ]),
  [{ retention: 30 }, 'retention = 30: must be an object {"videos": N, "inputs": N, "drops": N}, each optional'],
  [{ retention: { videos: 0 } }, 'retention.videos = 0: must be a whole number from 1 to 36500'],
  [{ retention: { records: 1 } }, 'retention.records = 1: unknown setting. Use one of videos, inputs, drops'],
  ...[{ videos: 30 }, { videos: 30, drops: 31 }].map((retention): [Record<string, unknown>, string] => [
    { retention, drop: { copyVideo: true } },
    'retention.videos = 30: with drop.copyVideo a copy stays in the drop folder. Set retention.drops to 30 or less',
  ]),
  [{ dashboard: 'off' }, 'dashboard = "off": must be true or false'],
  [{ loopbackWebhooks: 'yes' }, 'loopbackWebhooks = "yes": must be true or false'],
];

describe('an invalid value', () => {
  test.each(wrong)('%j is an error in our own words that names what is allowed', (context, ...words) => {
    const message = messageOf(context);
    for (const part of words) expect(message).toContain(part);
    expect(message.split('\n')).toHaveLength(words.filter((part) => /: must be/.test(part)).length || 1);
    expect(message).not.toMatch(/invalid|expected|received|too (small|big)|unrecognized/i);
  });

  test.each(settingNames)('of any type is such an error: %s', (name) => {
    // `false` is a value of two settings.
    const other = ['dashboard', 'loopbackWebhooks'].includes(name) ? 0 : false;
    for (const value of [{ unknown: 1 }, [{}], -1.5, '\0', null, other]) {
      const message = messageOf({ firstframe: { [name]: value } });
      expect(message).toMatch(/must be|unknown setting/);
      expect(message).not.toMatch(/invalid|expected|received|too (small|big)|unrecognized/i);
    }
  });
});
