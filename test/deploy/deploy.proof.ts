import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createApiKey } from '../../functions/api/auth/api-keys.ts';
import { tableOf } from '../../functions/video/table.ts';
import { startWan, type Wan } from '../../local/wan/server.ts';
import { type Endpoint, endpoint } from '../support/endpoint.ts';
import { png, pngUrl } from '../support/png.ts';
import { run } from '../support/python.ts';
import { type Cdk, cdkFor } from './cdk.ts';
import { type MiniStack, region, startMiniStack } from './ministack.ts';

/*
 * Deploys the stack like an operator: bootstrap, deploy, a changed deploy while videos are under way, a deploy without changes, and
 * videos through the deployed gateway and by drops. Its logs stay in `.local/deploy/` for debugging.
 */

const logs = path.resolve('.local', 'deploy');
const model = 'wan2.2-i2v-flash';

let directory: string;
let ministack: MiniStack;
let wan: Wan;
let cdk: Cdk;
let context: Record<string, unknown>;
let outputs: Record<string, string>;
let api: Endpoint;
let other_api_key: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'firstframe-deploy-'));
  await mkdir(logs, { recursive: true });
  ministack = await startMiniStack(logs);
  wan = await startWan({ port: 0, directory: path.join(directory, 'wan'), taskSeconds: 2, limits: 'on' });
  cdk = cdkFor(ministack, directory, createWriteStream(path.join(logs, 'cdk.log')));
  context = {
    wanBaseUrl: wan.url,
    trustedOrigins: [new URL(wan.url).origin],
    // MiniStack's objects have no public URL that Wan could fetch.
    imageTransfer: 'upload',
    uncertainSeconds: 15,
    typicalSeconds: 2,
    removalPolicy: 'destroy',
  };
});
afterAll(async () => {
  await wan?.close();
  await ministack?.close();
  await rm(directory, { recursive: true, force: true });
});

const client = () => ({
  endpoint: ministack.url,
  region,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

describe('the stack', () => {
  test('is deployed by the CDK, unchanged but for alarms on metric math', async () => {
    await cdk.bootstrap();
    ({ outputs } = await cdk.deploy(context));
    expect(Object.keys(outputs)).toEqual(expect.arrayContaining(['ApiUrl', 'UploadsBucketName', 'TableName']));
  });

  test('is ready once it has a Wan key and an API key', async () => {
    await new SecretsManagerClient(client()).send(
      new PutSecretValueCommand({ SecretId: outputs.WanSecretArn, SecretString: 'sk-deployed' }),
    );
    const table = tableOf(new DynamoDBClient(client()), outputs.TableName!);
    const [own, others] = [await createApiKey(table, 'drops'), await createApiKey(table, 'another-owner')];
    other_api_key = others.key;
    const [, id] = /\/\/([a-z0-9]+)\./.exec(outputs.ApiUrl!)!;
    api = endpoint({
      // ApiUrl is a URL of AWS; this is the one of MiniStack.
      url: `${ministack.url}/restapis/${id}/v1/_user_request_`,
      api_key: own.key,
      other_api_key,
      drop_api_key: own.key,
      s3: new S3Client({ ...client(), forcePathStyle: true }),
      uploads_bucket: outputs.UploadsBucketName!,
      close: async () => undefined,
    });
    expect((await api.call('/health')).status).toBe(200);
  });
});

const submit = async (prompt: string): Promise<string> => {
  const body = { model, input: { prompt, img_url: pngUrl(360, 360) }, parameters: { resolution: '480P' } };
  const { status, body: video } = await api.post('/videos', body, { 'idempotency-key': randomUUID() });
  expect(status).toBe(202);
  return String(video.id);
};

let finished: string;

describe('a video', () => {
  test('is made through the deployed gateway, and its file is archived', async () => {
    finished = await submit('A cat runs');
    // The watcher woke its execution: MiniStack ignores TimeoutSecondsPath, so nothing else ends the sleep.
    const video = await api.finished(finished);
    expect(video).toMatchObject({ status: 'succeeded', task: { attempts: 1 } });
    const { Body, ContentLength } = await api.s3.send(
      new GetObjectCommand({ Bucket: video.video!.bucket, Key: video.video!.key }),
    );
    expect((await Body!.transformToByteArray()).length).toBe(video.video!.bytes);
    expect(ContentLength).toBe(video.video!.bytes);
  });

  test.each([
    ['is dropped', 'cat.png', { prompt: 'A cat wakes up' }],
    ['is dropped without a prompt, and waits in the queue for its sidecar', 'dog.png', {}],
  ])('is made of an image that %s, and its result is next to it', async (_, name, Metadata) => {
    const Key = `drop/deployed/${name}`;
    await api.s3.send(new PutObjectCommand({ Bucket: api.uploads_bucket, Key, Body: png(360, 360), Metadata }));
    const video = await api.finished((await api.droppedFrom(Key)).id);
    expect(video.status).toBe('succeeded');
    // The result is written after the record.
    const result = new GetObjectCommand({ Bucket: api.uploads_bucket, Key: `${Key}.result.json` });
    const read = () => api.s3.send(result).then(({ Body }) => Body!.transformToString());
    const written = await vi.waitFor(read, { timeout: 60_000, interval: 500 });
    expect(JSON.parse(written)).toMatchObject({ id: video.id, status: 'succeeded' });
  });
});

test('an execution that nothing wakes queries Wan after its sleep times out', async () => {
  const stepFunctions = new SFNClient(client());
  const { stateMachines } = await stepFunctions.send(new ListStateMachinesCommand({}));
  const { stateMachineArn } = stateMachines!.find(({ name }) => name === 'firstframe-videos')!;
  const deployed = await stepFunctions.send(new DescribeStateMachineCommand({ stateMachineArn }));
  const definition = JSON.parse(deployed.definition!) as { StartAt: string; States: Record<string, object> };
  const { TimeoutSecondsPath, ...waitForEnd } = definition.States.WaitForEnd as { TimeoutSecondsPath: string };
  expect(TimeoutSecondsPath).toBe('$.wait.timeout_seconds');
  definition.States.WaitForEnd = { ...waitForEnd, TimeoutSeconds: 2 };
  const copy = await stepFunctions.send(
    new CreateStateMachineCommand({
      name: 'firstframe-timeout',
      roleArn: deployed.roleArn,
      definition: JSON.stringify({ ...definition, StartAt: 'WaitForEnd' }),
    }),
  );
  const wait = {
    ...{ key: `wait#${finished}`, run: '1', task_id: 'none', order: `${model}#none` },
    ...{ submit_time: new Date().toISOString(), ttl: String(Math.floor(Date.now() / 1000) + 3600) },
    // So that the watcher does not wake it.
    ...{ wake_after: String(Date.now() + 3_600_000), timeout_seconds: 180, pause_seconds: 3600 },
  };
  const { executionArn } = await stepFunctions.send(
    new StartExecutionCommand({
      stateMachineArn: copy.stateMachineArn,
      input: JSON.stringify({ id: finished, run: 1, outcome: 'created', wait }),
    }),
  );
  for (;;) {
    const { status, output } = await stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
    if (status !== 'RUNNING') {
      expect({ status, output: JSON.parse(output!) }).toEqual({
        status: 'SUCCEEDED',
        output: { id: finished, run: 1, outcome: 'settled' },
      });
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const { events } = await stepFunctions.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
  const entered = events!.find(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name === 'CheckTask');
  expect(JSON.parse(entered!.stateEnteredEventDetails!.input!)).toMatchObject({ error: { Error: 'States.Timeout' } });
  stepFunctions.destroy();
});

describe('a deploy', () => {
  test('of a changed stack loses no video that is under way', async () => {
    // One at Wan, one being submitted, and one queued.
    const ids = [
      await submit('[[seconds=45]] At Wan'),
      await submit('[[seconds=20]] On its way'),
      await submit('Queued'),
    ];
    await api.until(ids[0]!, ({ status }) => status === 'running');
    const { changed } = await cdk.deploy({ ...context, uncertainSeconds: 16, logRetentionDays: 14 });
    expect(changed).toBe(true);
    for (const video of await Promise.all(ids.map(api.finished))) {
      expect(video).toMatchObject({ status: 'succeeded', task: { attempts: 1 } });
    }
  });

  test('of the same stack changes nothing', async () => {
    expect((await cdk.deploy({ ...context, uncertainSeconds: 16, logRetentionDays: 14 })).changed).toBe(false);
  });
});

/** The tests for which MiniStack is fast and complete enough: see this folder's README. */
const endToEnd = ['owners', 'uploads', 'drop-results', 'actions', 'reading'].map((name) => `test/e2e/${name}.test.ts`);

test('the end-to-end tests of the local stack pass', async () => {
  const environment = {
    ...ministack.environment,
    E2E_BASE_URL: api.url,
    E2E_API_KEY: api.api_key,
    E2E_OTHER_API_KEY: other_api_key,
    E2E_UPLOADS_BUCKET: api.uploads_bucket,
  };
  // One file at a time with long timeouts, since MiniStack starts a process for each invocation.
  const timeouts = ['--maxWorkers', '1', '--testTimeout', '120000', '--hookTimeout', '120000'];
  // MiniStack ignores Range in requests of a presigned link.
  const filter = ['--testNamePattern', '^(?!.*can be downloaded in ranges)'];
  expect(await run('npx', ['vitest', 'run', ...timeouts, ...filter, ...endToEnd], environment)).toBe(0);
}, 900_000);
