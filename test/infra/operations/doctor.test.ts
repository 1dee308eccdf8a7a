import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimPermit, pauseQueue } from '../../../functions/queue/model-queue.ts';
import { UNSET_SECRET } from '../../../functions/shared/environment.ts';
import {
  checkAlarms,
  checkApi,
  checkDrops,
  checkQueues,
  checkStorage,
} from '../../../infra/operations/doctor/checks.ts';
import { findDeployment } from '../../../infra/operations/doctor/deployment.ts';
import { checkWanKey } from '../../../infra/operations/doctor/wan-key.ts';
import { run } from '../../../infra/operations/doctor.ts';
import { sharedStack } from '../../support/endpoint.ts';
import { startTable } from '../../support/table.ts';

/** A client that gives each command the answer of its name, or throws it. */
// biome-ignore lint/suspicious/noExplicitAny: answers of many commands.
const answering = (answers: Record<string, any>) => ({
  async send(command: { constructor: { name: string } }) {
    const answer = answers[command.constructor.name.replace(/Command$/, '')];
    if (answer instanceof Error) throw answer;
    return answer;
  },
});
// biome-ignore lint/suspicious/noExplicitAny: a client of which only `send` is used.
const client = (answers: Record<string, unknown>): any => answering(answers);
const named = (name: string): Error => Object.assign(new Error(name), { name });

const model = 'wan2.2-i2v-flash';
const limits = { extra_permits: 0, models: { [model]: { concurrent_tasks: 1 } } };

describe('Wan’s key', () => {
  const ask = (SecretString: string, answers: Record<string, [number, object]>) =>
    checkWanKey(
      {
        secrets: client({ GetSecretValue: { SecretString } }),
        fetch: async (url) => {
          const [status, body] = answers[new URL(String(url)).host]!;
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
  const refused: [number, object] = [401, { code: 'InvalidApiKey', message: 'Invalid API-key provided.' }];
  const [intl, cn] = ['dashscope-intl.aliyuncs.com', 'dashscope.aliyuncs.com'];

  test('that Wan takes is well', async () => {
    expect(await ask('sk-good\n', { [intl]: list })).toMatchObject([{ state: 'well' }]);
  });

  test.each(['', UNSET_SECRET])('that is not set (%j) is told with the command that sets it', async (unset) => {
    expect(await ask(unset, {})).toMatchObject([{ state: 'wrong', mend: expect.stringContaining('put-secret-value') }]);
  });

  test('within JSON is told', async () => {
    expect(await ask('{"key":"sk-good"}', {})).toMatchObject([
      { state: 'wrong', what: expect.stringContaining('JSON') },
    ]);
  });

  test('of the other region is told from a wrong one', async () => {
    expect(await ask('sk-cn', { [intl]: refused, [cn]: list })).toMatchObject([
      { state: 'wrong', what: expect.stringContaining('of beijing'), mend: expect.stringContaining('region=beijing') },
    ]);
    const [finding] = await ask('sk-old', { [intl]: refused, [cn]: refused });
    expect(finding).toMatchObject({ state: 'wrong', what: expect.stringContaining('refuses') });
    expect(JSON.stringify(finding)).not.toContain('sk-old');
  });

  test('is not blamed for a Wan that is out of order', async () => {
    expect(await ask('sk-good', { [intl]: [503, {}] })).toMatchObject([
      { what: expect.stringContaining('does not answer') },
    ]);
    expect(await ask('sk-good', { [intl]: [429, { code: 'Throttling', message: '' }] })).toMatchObject([
      { state: 'odd' },
    ]);
  });
});

describe('the stack', () => {
  const outputs = ['ApiUrl', 'UploadsBucketName', 'VideosBucketName', 'TableName', 'WanSecretArn'];
  const stack = (StackStatus: string, names = outputs) => ({
    DescribeStacks: {
      Stacks: [{ StackStatus, Outputs: names.map((OutputKey) => ({ OutputKey, OutputValue: `the ${OutputKey}` })) }],
    },
  });

  test('is found by its outputs', async () => {
    const found = await findDeployment(client(stack('UPDATE_COMPLETE')), 'firstframe');
    expect(found).toMatchObject({ findings: [{ state: 'well' }], deployment: { table: 'the TableName' } });
  });

  test('that is not there, rolled back, or older than this is told', async () => {
    const gone = await findDeployment(client({ DescribeStacks: named('ValidationError') }), 'firstframe');
    expect(gone).toMatchObject({ findings: [{ state: 'wrong', mend: expect.stringContaining('npm run deploy') }] });
    expect(gone.deployment).toBeUndefined();
    const back = await findDeployment(client(stack('UPDATE_ROLLBACK_COMPLETE')), 'firstframe');
    expect(back.findings).toMatchObject([{ state: 'wrong' }]);
    const old = await findDeployment(client(stack('CREATE_COMPLETE', ['ApiUrl'])), 'firstframe');
    expect(old.findings.at(-1)).toMatchObject({ what: expect.stringContaining('uploads_bucket, videos_bucket') });
  });
});

describe('the lanes', () => {
  let started: Awaited<ReturnType<typeof startTable>>;
  beforeAll(async () => {
    started = await startTable(() => Date.UTC(2026, 0, 1));
  });
  afterAll(() => started.close());

  test('are well until one is held, or holds more than it may', async () => {
    const { table } = started;
    expect(await checkQueues(table, limits)).toMatchObject([{ state: 'well' }]);
    const lane = { model, permits: 5, submit_interval_ms: 1 };
    await claimPermit(table, lane, { id: 'one', owner: 'alice' });
    await claimPermit(table, lane, { id: 'two', owner: 'alice' });
    await pauseQueue(table, model, 'wrong_key', '2026-01-01T00:01:00.000Z');
    expect(await checkQueues(table, limits)).toMatchObject([
      { state: 'wrong', what: expect.stringContaining('wrong_key') },
      { state: 'odd', what: expect.stringContaining('2 videos under way with 1 permits') },
    ]);
  });
});

describe('buckets and table', () => {
  const place = { api_url: '', uploads_bucket: 'u', videos_bucket: 'v', table: 't', secret: 's' };
  const whole = { HeadBucket: {}, GetBucketVersioning: { Status: 'Enabled' } };
  const table = {
    DescribeTable: { Table: { TableStatus: 'ACTIVE' } },
    DescribeTimeToLive: { TimeToLiveDescription: { AttributeName: 'ttl' } },
  };
  const check = (s3: object, dynamoDb: object) =>
    checkStorage({ s3: client({ ...whole, ...s3 }), dynamoDb: client({ ...table, ...dynamoDb }) }, place, true);

  test('are well as deployed', async () => {
    expect(await check({}, {})).toMatchObject([{ state: 'well' }]);
  });

  test.each([
    [{ HeadBucket: named('NotFound') }, {}, 'wrong'],
    [{ GetBucketVersioning: {} }, {}, 'wrong'],
    [{}, { DescribeTable: { Table: { TableStatus: 'INACCESSIBLE_ENCRYPTION_CREDENTIALS' } } }, 'wrong'],
    [{}, { DescribeTimeToLive: {} }, 'odd'],
  ])('are told when they are otherwise: %j %j', async (s3, dynamoDb, state) => {
    expect((await check(s3, dynamoDb))[0]).toMatchObject({ state });
  });
});

test('alarms that ring are told with what they say', async () => {
  const alarm = (AlarmName: string, StateValue: string) => ({ AlarmName, StateValue, AlarmDescription: 'Look there.' });
  const check = (MetricAlarms: object[]) => checkAlarms(client({ DescribeAlarms: { MetricAlarms } }), 'firstframe');
  expect(await check([])).toMatchObject([{ state: 'odd' }]);
  expect(await check([alarm('a', 'OK'), alarm('b', 'INSUFFICIENT_DATA')])).toMatchObject([{ state: 'well' }]);
  expect(await check([alarm('a', 'OK'), alarm('b', 'ALARM')])).toMatchObject([
    { state: 'wrong', what: 'b rings.', mend: 'Look there.' },
  ]);
});

test('an API that is down is told from one that answers wrongly', async () => {
  const url = 'https://api.example/v1/';
  const asked: string[] = [];
  const fetching = (answer: () => Response) => async (address: unknown) => {
    asked.push(String(address));
    return answer();
  };
  expect(
    await checkApi(
      fetching(() => Response.json({})),
      url,
    ),
  ).toMatchObject([{ state: 'well' }]);
  expect(
    await checkApi(
      fetching(() => new Response('', { status: 503 })),
      url,
    ),
  ).toMatchObject([{ what: expect.stringContaining('503') }]);
  const down = fetching(() => {
    throw new TypeError('fetch failed');
  });
  expect(await checkApi(down, url)).toMatchObject([{ what: expect.stringContaining('Nothing answers') }]);
  expect(new Set(asked)).toEqual(new Set(['https://api.example/v1/health']));
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
  test('finds the stack of this machine well, and changes nothing there', async () => {
    const stack = await sharedStack();
    const port = (url: string) => new URL(url).port;
    const environment = { PORT: port(stack.api_url), WAN_PORT: port(stack.wan_url!), AWS_PORT: port(stack.aws_url) };
    const printed: string[] = [];
    expect(await run(['--local'], environment, (line) => printed.push(line))).toBe(0);
    expect(printed.filter((line) => line.startsWith('✓'))).toHaveLength(6);
    expect(printed.at(-1)).toBe('\nAll is well.');
  }, 60_000);

  test('says what is wrong with the configuration, and how it is called', async () => {
    const printed: string[] = [];
    const print = (line: string) => printed.push(line);
    expect(await run(['--local'], { FIRSTFRAME_CONTEXT: '{"region":"mars"}' }, print)).toBe(1);
    expect(printed.join('\n')).toMatch(/✗ .*\n.*region = "mars"/);
    expect(await run(['--what'], {}, print)).toBe(1);
    expect(printed.at(-1)).toMatch(/^Usage:/);
  });
});
