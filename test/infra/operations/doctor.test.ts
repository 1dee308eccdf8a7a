import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDelivery } from '../../../functions/events/deliveries.ts';
import { claimPermit, pauseQueue } from '../../../functions/queue/model-queue.ts';
import { UNSET_SECRET } from '../../../functions/shared/environment.ts';
import {
  checkAlarms,
  checkApi,
  checkDrops,
  checkQueues,
  checkRules,
  checkStorage,
  checkWebhooks,
} from '../../../infra/operations/doctor/checks.ts';
import { findDeployment } from '../../../infra/operations/doctor/deployment.ts';
import { checkMessages } from '../../../infra/operations/doctor/messages.ts';
import { checkConcurrency, queueExecutions } from '../../../infra/operations/doctor/quotas.ts';
import { checkWanKey } from '../../../infra/operations/doctor/wan-key.ts';
import { run } from '../../../infra/operations/doctor.ts';
import { sharedStack } from '../../support/endpoint.ts';
import { startTable } from '../../support/table.ts';
import { resourcesOf, synthesizeStandIns } from '../support.ts';

/** A client that returns the response with the name of a command, or throws it. */
// biome-ignore lint/suspicious/noExplicitAny: responses of many commands.
const respondingWith = (responses: Record<string, any>) => ({
  async send(command: { constructor: { name: string } }) {
    const response = responses[command.constructor.name.replace(/Command$/, '')];
    if (response instanceof Error) throw response;
    return response;
  },
});
// biome-ignore lint/suspicious/noExplicitAny: a client of which only `send` is used.
const client = (responses: Record<string, unknown>): any => respondingWith(responses);
const named = (name: string): Error => Object.assign(new Error(name), { name });

const model = 'wan2.2-i2v-flash';
const limits = { extra_permits: 0, models: { [model]: { concurrent_tasks: 1 } } };

describe('Wan’s key', () => {
  const check = (SecretString: string, responses: Record<string, [number, object]>) =>
    checkWanKey(
      {
        secrets: client({ GetSecretValue: { SecretString } }),
        fetch: async (url) => {
          const [status, body] = responses[new URL(String(url)).host]!;
          return Response.json(body, { status });
        },
        now: () => Date.UTC(2026, 0, 1),
      },
      { secret: 'wan', region: 'singapore', wanBaseUrl: 'https://dashscope-intl.aliyuncs.com/api/v1' },
    );
  const list: [number, object] = [
    200,
    { total: 0, data: [], total_page: 0, page_no: 1, page_size: 1, request_id: 'r' },
  ];
  const rejected: [number, object] = [401, { code: 'InvalidApiKey', message: 'Invalid API-key provided.' }];
  const [intl, cn] = ['dashscope-intl.aliyuncs.com', 'dashscope.aliyuncs.com'];

  test('is ok when Wan accepts it', async () => {
    expect(await check('sk-good\n', { [intl]: list })).toMatchObject([{ state: 'ok' }]);
  });

  test.each(['', UNSET_SECRET])('fails with the command that sets it when it is not set (%j)', async (unset) => {
    expect(await check(unset, {})).toMatchObject([
      { state: 'failure', fix: expect.stringContaining('put-secret-value') },
    ]);
  });

  test.each([
    ['Bearer sk-secret', 'Bearer'],
    ['DASHSCOPE_API_KEY=sk-secret', 'name'],
    ["'sk-secret'", 'quotes'],
    ['sk-secret # mine', 'comment'],
    ['sk-secret\nsk-secret', 'several lines'],
    ['sk-sec\u200bret', 'U+200B'],
  ])(
    'names what is wrong with a text that is no bare key, without asking Wan or showing it: %j',
    async (text, problem) => {
      const findings = await check(text, {});
      expect(findings).toMatchObject([
        {
          state: 'failure',
          summary: expect.stringContaining(problem),
          fix: expect.stringContaining('put-secret-value'),
        },
      ]);
      expect(JSON.stringify(findings)).not.toContain('secret\n');
      expect(JSON.stringify(findings)).not.toContain('sk-sec');
    },
  );

  test('fails within JSON', async () => {
    expect(await check('{"key":"sk-good"}', {})).toMatchObject([
      { state: 'failure', summary: expect.stringContaining('JSON') },
    ]);
  });

  test('of another region is distinguished from an invalid one', async () => {
    expect(await check('sk-cn', { [intl]: rejected, [cn]: list })).toMatchObject([
      {
        state: 'failure',
        summary: expect.stringContaining('belongs to beijing'),
        fix: expect.stringContaining('region=beijing'),
      },
    ]);
    const [finding] = await check('sk-old', { [intl]: rejected, [cn]: rejected });
    expect(finding).toMatchObject({ state: 'failure', summary: expect.stringContaining('rejects') });
    expect(JSON.stringify(finding)).not.toContain('sk-old');
  });

  test('is not blamed when Wan is unavailable', async () => {
    expect(await check('sk-good', { [intl]: [503, {}] })).toMatchObject([
      { summary: expect.stringContaining('does not respond') },
    ]);
    expect(await check('sk-good', { [intl]: [429, { code: 'Throttling', message: '' }] })).toMatchObject([
      { state: 'warning' },
    ]);
  });
});

describe('the stack', () => {
  const outputs = [
    'ApiUrl',
    'UploadsBucketName',
    'VideosBucketName',
    'TableName',
    'WanSecretArn',
    'WebhookSecretArn',
    'StateMachineArn',
  ];
  const stack = (StackStatus: string, names = outputs) => ({
    DescribeStacks: {
      Stacks: [{ StackStatus, Outputs: names.map((OutputKey) => ({ OutputKey, OutputValue: `the ${OutputKey}` })) }],
    },
  });

  test('is found by its outputs', async () => {
    const found = await findDeployment(client(stack('UPDATE_COMPLETE')), 'firstframe');
    expect(found).toMatchObject({ findings: [{ state: 'ok' }], deployment: { table: 'the TableName' } });
  });

  test('fails when it is missing, rolled back, or older', async () => {
    const gone = await findDeployment(client({ DescribeStacks: named('ValidationError') }), 'firstframe');
    expect(gone).toMatchObject({ findings: [{ state: 'failure', fix: expect.stringContaining('npm run deploy') }] });
    expect(gone.deployment).toBeUndefined();
    const back = await findDeployment(client(stack('UPDATE_ROLLBACK_COMPLETE')), 'firstframe');
    expect(back.findings).toMatchObject([{ state: 'failure' }]);
    const old = await findDeployment(client(stack('CREATE_COMPLETE', ['ApiUrl'])), 'firstframe');
    expect(old.findings.at(-1)).toMatchObject({ summary: expect.stringContaining('uploads_bucket, videos_bucket') });
  });
});

describe('the model queues', () => {
  let started: Awaited<ReturnType<typeof startTable>>;
  beforeAll(async () => {
    started = await startTable(() => Date.UTC(2026, 0, 1));
  });
  afterAll(() => started.close());

  test('are ok until one is paused or exceeds its permits', async () => {
    const { table } = started;
    expect(await checkQueues(table, limits)).toMatchObject([{ state: 'ok' }]);
    const modelLimits = { model, permits: 5, submit_interval_ms: 1 };
    await claimPermit(table, modelLimits, { id: 'one', owner: 'alice' });
    await claimPermit(table, modelLimits, { id: 'two', owner: 'alice' });
    await pauseQueue(table, model, 'wrong_key', '2026-01-01T00:01:00.000Z');
    expect(await checkQueues(table, limits)).toMatchObject([
      { state: 'failure', summary: expect.stringContaining('wrong_key') },
      { state: 'warning', summary: expect.stringContaining('2 running videos with 1 permits') },
    ]);
  });
});

describe('buckets and table', () => {
  const place = { api_url: '', uploads_bucket: 'u', videos_bucket: 'v', table: 't', secret: 's', webhook_secret: 'w' };
  const whole = {
    HeadBucket: {},
    GetBucketVersioning: { Status: 'Enabled' },
    GetBucketNotificationConfiguration: { EventBridgeConfiguration: {} },
  };
  const table = {
    DescribeTable: { Table: { TableStatus: 'ACTIVE' } },
    DescribeTimeToLive: { TimeToLiveDescription: { AttributeName: 'ttl' } },
  };
  const check = (s3: object, dynamoDb: object) =>
    checkStorage({ s3: client({ ...whole, ...s3 }), dynamoDb: client({ ...table, ...dynamoDb }) }, place, true);

  test('are ok as deployed', async () => {
    expect(await check({}, {})).toMatchObject([{ state: 'ok' }]);
  });

  test.each([
    [{ HeadBucket: named('NotFound') }, {}, 'failure'],
    [{ GetBucketVersioning: {} }, {}, 'failure'],
    [{ GetBucketNotificationConfiguration: {} }, {}, 'failure'],
    [{}, { DescribeTable: { Table: { TableStatus: 'INACCESSIBLE_ENCRYPTION_CREDENTIALS' } } }, 'failure'],
    [{}, { DescribeTimeToLive: {} }, 'warning'],
  ])('are reported otherwise: %j %j', async (s3, dynamoDb, state) => {
    expect((await check(s3, dynamoDb))[0]).toMatchObject({ state });
  });
});

describe('the concurrency of the account', () => {
  const check = (ConcurrentExecutions: number, apiConcurrency?: number, longPolls = { per_owner: 10, total: 1 }) =>
    checkConcurrency(client({ GetAccountSettings: { AccountLimit: { ConcurrentExecutions } } }), {
      apiConcurrency,
      longPolls,
    });
  const fix = (text: string) => expect.stringContaining(text);

  test('is enough when 100 executions are left unreserved', async () => {
    expect(await check(1000)).toMatchObject([{ state: 'ok' }]);
    expect(await check(1000, 450)).toMatchObject([{ state: 'ok' }]);
  });

  test('is too low on a new account, with the command that requests more', async () => {
    expect(await check(10)).toMatchObject([
      { state: 'warning', fix: fix('request-service-quota-increase --service-code lambda --quota-code L-B99A9384') },
    ]);
  });

  test('is too low for the requests that may wait, with the setting that fits', async () => {
    const findings = (available: number, total: number) => check(available, undefined, { per_owner: 10, total });
    expect(await findings(150, 50)).toMatchObject([{ state: 'ok' }]);
    expect(await findings(1000, 334)).toMatchObject([{ state: 'warning', fix: fix('"total": 333, "perOwner": 10') }]);
    expect(await findings(10, 50)).toMatchObject([
      { state: 'warning', fix: fix('"longPolls": {"total": 1, "perOwner": 1}') },
      { state: 'warning', fix: fix('--desired-value 1000') },
    ]);
  });

  test('counts what the queues of the template may occupy', async () => {
    const { template } = await synthesizeStandIns();
    const maxima = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').map(
      ({ properties }) => properties.ScalingConfig.MaximumConcurrency,
    );
    expect(maxima.reduce((sum, one) => sum + one)).toBe(queueExecutions);
  });

  test('is too low for apiConcurrency, which two functions reserve', async () => {
    expect(await check(1000, 451)).toMatchObject([{ state: 'failure', fix: fix('Set it to at most 450') }]);
    expect(await check(10, 1)).toMatchObject([{ state: 'failure', fix: fix('Remove it') }]);
    expect(await check(1000, 2000)).toMatchObject([{ state: 'failure', fix: fix('--desired-value 4100') }]);
  });
});

/** Resources of a stack, as CloudFormation lists them: type, logical id and physical id. */
const resources = (...listed: [string, string, string][]) => {
  const list = new CloudFormationClient({ region: 'us-east-1' });
  list.send = async () => ({
    StackResourceSummaries: listed.map(([ResourceType, LogicalResourceId, PhysicalResourceId]) => ({
      ResourceType,
      LogicalResourceId,
      PhysicalResourceId,
    })),
  });
  return list;
};

test('rules are asked for on their own bus, and a disabled one is reported with the command that enables it', async () => {
  const asked: unknown[] = [];
  const eventBridge = {
    async send({ input }: { input: { Name: string } }) {
      asked.push(input);
      return { State: input.Name === 'webhook-wanted' ? 'DISABLED' : 'ENABLED', Description: 'Queues events.' };
    },
  };
  const stack = resources(
    ['AWS::Events::Rule', 'Each', 'each-minute'],
    ['AWS::Events::Rule', 'Wanted', 'the-bus|webhook-wanted'],
    ['AWS::SQS::Queue', 'Queue', 'queue'],
  );
  // biome-ignore lint/suspicious/noExplicitAny: a client of which only `send` is used.
  expect(await checkRules(stack, eventBridge as any, 'firstframe')).toMatchObject([
    {
      state: 'failure',
      summary: 'The rule webhook-wanted is disabled. Queues events.',
      fix: expect.stringContaining('enable-rule --name webhook-wanted --event-bus-name the-bus'),
    },
  ]);
  expect(asked).toEqual([{ Name: 'each-minute' }, { Name: 'webhook-wanted', EventBusName: 'the-bus' }]);
});

test('dead letters and long queues are reported by their queue', async () => {
  const check = (messages: Record<string, number>) =>
    checkMessages(
      {
        cloudFormation: resources(
          ['AWS::SQS::Queue', 'WebhookQueue', 'work'],
          ['AWS::SQS::Queue', 'WebhooksDeadLetters1234', 'dead'],
          ['AWS::Events::Rule', 'Each', 'each-minute'],
        ),
        sqs: {
          async send({ input }: { input: { QueueUrl: string } }) {
            return { Attributes: { ApproximateNumberOfMessages: String(messages[input.QueueUrl] ?? 0) } };
          },
          // biome-ignore lint/suspicious/noExplicitAny: a client of which only `send` is used.
        } as any,
      },
      'firstframe',
    );
  expect(await check({ work: 1000 })).toEqual([
    { state: 'ok', summary: 'The 2 queues have no dead letters and no long backlog.' },
  ]);
  expect(await check({ dead: 1, work: 1001 })).toMatchObject([
    { state: 'warning', summary: '1001 messages are due in WebhookQueue.' },
    { state: 'failure', summary: 'WebhooksDeadLetters1234 has 1 dead letters.', fix: expect.stringContaining('dead') },
  ]);
});

test('deliveries to webhooks are reported when nothing delivers them', async () => {
  let now = Date.parse('2026-01-01T00:00:00.000Z');
  const { table, close } = await startTable(() => now);
  const detail = {
    version: '1',
    id: '00000000-0000-4000-8000-000000000001',
    owner: 'alice',
    sequence: 5,
    status: 'succeeded',
    at: '2026-01-01T00:00:00.000Z',
    model,
    source: 'api',
    metadata: {},
    webhook: true,
  } as const;
  await createDelivery(table, {
    video: { created_at: detail.at },
    detail,
    type: 'video.succeeded',
    url: 'https://a.example',
    host: 'a.example',
  });
  expect(await checkWebhooks(table)).toEqual([
    { state: 'ok', summary: 'No delivery to a webhook is overdue; 1 wait for their next attempt.' },
  ]);
  // Due after 5 minutes.
  now += 36 * 60_000;
  expect(await checkWebhooks(table)).toMatchObject([
    { state: 'failure', summary: expect.stringContaining('1 deliveries to webhooks have been due') },
  ]);
  await close();
});

test('alarms in state ALARM are reported with their description', async () => {
  const alarm = (AlarmName: string, StateValue: string) => ({
    AlarmName,
    StateValue,
    AlarmDescription: 'See the log.',
  });
  const check = (MetricAlarms: object[]) => checkAlarms(client({ DescribeAlarms: { MetricAlarms } }), 'firstframe');
  expect(await check([])).toMatchObject([{ state: 'warning' }]);
  const [a, b, other] = ['firstframe-AAlarm-1X', 'firstframe-BAlarm-2Y', 'firstframe-two-AAlarm-3Z'] as const;
  expect(await check([alarm(a, 'OK'), alarm(b, 'INSUFFICIENT_DATA')])).toMatchObject([{ state: 'ok' }]);
  expect(await check([alarm(a, 'OK'), alarm(b, 'ALARM'), alarm(other, 'ALARM')])).toMatchObject([
    { state: 'failure', summary: `${b} is in state ALARM.`, fix: 'See the log.' },
  ]);
});

test('an unreachable API is distinguished from an error response', async () => {
  const url = 'https://api.example/v1/';
  const requested: string[] = [];
  const fetching = (respond: () => Response) => async (address: unknown) => {
    requested.push(String(address));
    return respond();
  };
  expect(
    await checkApi(
      fetching(() => Response.json({})),
      url,
    ),
  ).toMatchObject([{ state: 'ok' }]);
  expect(
    await checkApi(
      fetching(() => new Response('', { status: 503 })),
      url,
    ),
  ).toMatchObject([{ summary: expect.stringContaining('503') }]);
  const down = fetching(() => {
    throw new TypeError('fetch failed');
  });
  expect(await checkApi(down, url)).toMatchObject([{ summary: expect.stringContaining('Cannot connect') }]);
  expect(new Set(requested)).toEqual(new Set(['https://api.example/v1/health']));
});

test('images that were never accepted are counted, and nothing is accepted', async () => {
  const { table, close } = await startTable();
  const stored = (Key: string, days: number) => ({ Key, LastModified: new Date(Date.now() - days * 86_400_000) });
  const Contents = [stored('drop/a.png', 2), stored('drop/b.png', 2), stored('drop/new.png', 0.5)];
  const check = (answers: Record<string, unknown>) =>
    checkDrops({ table, s3: client(answers), uploadsBucket: 'uploads' });
  const HeadObject = { VersionId: 'v', ContentLength: 1, Metadata: {} };
  expect(await check({ ListObjectsV2: { Contents }, HeadObject })).toEqual([
    {
      state: 'warning',
      summary: expect.stringMatching(/^The drop folder holds 2 images or manifests/),
      fix: expect.stringContaining('Upload those again'),
    },
  ]);
  expect(await check({ ListObjectsV2: {} })).toMatchObject([{ state: 'ok' }]);
  await close();
});

describe('the command', () => {
  test('passes all checks on the local stack', async () => {
    const stack = await sharedStack();
    const port = (url: string) => new URL(url).port;
    const environment = { PORT: port(stack.api_url), WAN_PORT: port(stack.wan_url!), AWS_PORT: port(stack.aws_url) };
    const printed: string[] = [];
    expect(await run(['--local'], environment, (line) => printed.push(line))).toBe(0);
    expect(printed.filter((line) => line.startsWith('✓ ok'))).toHaveLength(10);
    expect(printed.at(-1)).toBe('\nAll checks passed.');
  }, 60_000);

  test('reports an invalid configuration, and its usage', async () => {
    const printed: string[] = [];
    const print = (line: string) => printed.push(line);
    expect(await run(['--local'], { FIRSTFRAME_CONTEXT: '{"region":"mars"}' }, print)).toBe(1);
    expect(printed.join('\n')).toMatch(/✗ error .*\n.*region = "mars"/);
    expect(await run(['--what'], {}, print)).toBe(1);
    expect(printed.at(-1)).toMatch(/^Usage:/);
  });
});
