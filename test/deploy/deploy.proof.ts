import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CloudFormationClient,
  DescribeStackResourcesCommand,
  type StackResource,
} from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { GetAliasCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createApiKey } from '../../functions/api/auth/api-keys.ts';
import { tableOf } from '../../functions/video/table.ts';
import type { VideoView } from '../../functions/video/view.ts';
import { startWan, type Wan } from '../../local/wan/server.ts';
import { type Endpoint, endpoint } from '../support/endpoint.ts';
import { png, pngUrl } from '../support/png.ts';
import { run } from '../support/python.ts';
import { type Cdk, cdkFor, type Outputs } from './cdk.ts';
import { type MiniStack, region, startMiniStack } from './ministack.ts';

/*
 * Deploys two stacks like an operator: bootstrap, deploy, a changed deploy of one while videos are under way, a deploy without
 * changes, and videos through the deployed gateways and by drops. Its logs stay in `.local/deploy/` for debugging.
 */

const logs = path.resolve('.local', 'deploy');
const model = 'wan2.2-i2v-flash';

let directory: string;
let ministack: MiniStack;
let wan: Wan;
let cdk: Cdk;
let context: Record<string, unknown>;
let outputs: Outputs;
let api: Endpoint;
/** Another deployment in the same account and region, with its own Wan account. */
let other: { outputs: Outputs; api: Endpoint };

const otherContext = () => ({ ...context, stackName: 'firstframe-two' });

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'firstframe-deploy-'));
  await mkdir(logs, { recursive: true });
  ministack = await startMiniStack(logs);
  wan = await startWan({ port: 0, directory: path.join(directory, 'wan'), taskSeconds: 2, limits: 'on' });
  cdk = cdkFor(ministack, directory, createWriteStream(path.join(logs, 'cdk.log')));
  context = {
    wanBaseUrl: wan.url,
    trustedOrigins: [new URL(wan.url).origin],
    // The receiver of webhooks.
    loopbackWebhooks: true,
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

/** Creates the keys of a deployment, with the same owners in each. */
async function open(deployed: Outputs, wanKey: string): Promise<Endpoint> {
  await new SecretsManagerClient(client()).send(
    new PutSecretValueCommand({ SecretId: deployed.WanSecretArn, SecretString: wanKey }),
  );
  const table = tableOf(new DynamoDBClient(client()), deployed.TableName!);
  const [own, others] = [await createApiKey(table, 'drops'), await createApiKey(table, 'another-owner')];
  const [, id] = /\/\/([a-z0-9]+)\./.exec(deployed.ApiUrl!)!;
  return endpoint({
    // ApiUrl is a URL of AWS; this is the one of MiniStack.
    url: `${ministack.url}/restapis/${id}/v1/_user_request_`,
    api_key: own.key,
    other_api_key: others.key,
    drop_api_key: own.key,
    s3: new S3Client({ ...client(), forcePathStyle: true }),
    uploads_bucket: deployed.UploadsBucketName!,
    close: async () => undefined,
  });
}

/** Returns the resources of a stack: logical id, type and physical id. */
async function resourcesOf(StackName: string): Promise<StackResource[]> {
  const { StackResources } = await new CloudFormationClient(client()).send(
    new DescribeStackResourcesCommand({ StackName }),
  );
  return StackResources!;
}

describe('two stacks in one account and region', () => {
  test('are deployed by the CDK, unchanged but for alarms on metric math', async () => {
    await cdk.bootstrap();
    ({ outputs } = await cdk.deploy(context));
    const second = await cdk.deploy(otherContext());
    for (const names of [outputs, second.outputs])
      expect(Object.keys(names)).toEqual(expect.arrayContaining(['ApiUrl', 'UploadsBucketName', 'TableName']));
    other = { outputs: second.outputs, api: await open(second.outputs, 'sk-other') };
    api = await open(outputs, 'sk-deployed');
  });

  test('share no resource but the setting of the account', async () => {
    const [one, two] = [await resourcesOf('firstframe'), await resourcesOf('firstframe-two')];
    const idsOf = (resources: StackResource[]) =>
      resources.map(({ ResourceType, PhysicalResourceId }) => `${ResourceType} ${PhysicalResourceId}`);
    expect(one.length).toBeGreaterThan(200);
    expect(two.length).toBe(one.length);
    const ids = new Set(idsOf(two));
    const shared = one.filter((_, index) => ids.has(idsOf(one)[index]!)).map(({ ResourceType }) => ResourceType);
    // The name of a stage only counts within its API.
    expect(shared.sort()).toEqual(['AWS::ApiGateway::Account', 'AWS::ApiGateway::Stage']);
  });

  test('are ready once each has a Wan key and API keys', async () => {
    for (const { call } of [api, other.api]) expect((await call('/health')).status).toBe(200);
  });
});

const requestOf = (prompt: string) => ({
  model,
  input: { prompt, img_url: pngUrl(360, 360) },
  parameters: { resolution: '480P' },
});

const submit = async (prompt: string, to = api, idempotency_key: string = randomUUID()): Promise<string> => {
  const body = requestOf(prompt);
  const { status, body: video } = await to.post('/videos', body, { 'idempotency-key': idempotency_key });
  expect(status).toBe(202);
  return String(video.id);
};

/** Returns how many submissions with a prompt Wan received. */
const submissionsOf = (prompt: string): number =>
  wan.requests.filter(({ method, body }) => method === 'POST' && body?.includes(JSON.stringify(prompt))).length;

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

  test('of one stack does not exist in the other, whose own key, owner and idempotency key are the same', async () => {
    const key = randomUUID();
    const [here, there] = [await submit('Of one stack', api, key), await submit('Of the other stack', other.api, key)];
    // The id follows from owner and key, so both have the same.
    expect(there).toBe(here);
    const videos = [await api.finished(here), await other.api.finished(there)];
    expect(videos.map(({ status, input }) => [status, input.prompt])).toEqual([
      ['succeeded', 'Of one stack'],
      ['succeeded', 'Of the other stack'],
    ]);
    expect(videos.map(({ video }) => video!.bucket)).toEqual([
      outputs.VideosBucketName,
      other.outputs.VideosBucketName,
    ]);
    expect((await other.api.call(`/videos/${finished}`)).status).toBe(404);
    const authorization = `Bearer ${api.api_key}`;
    expect((await other.api.call(`/videos/${there}`, { headers: { authorization } })).status).toBe(401);
  });

  test.each([
    ['is dropped', 'cat.png', { prompt: 'A cat wakes up' }],
    ['is dropped without a prompt, and waits in the queue for its sidecar', 'dog.png', {}],
  ])('is made of an image that %s, and its result is next to it', async (_, name, Metadata) => {
    const Key = `drop/deployed/${name}`;
    for (const stack of [api, other.api]) {
      await stack.s3.send(new PutObjectCommand({ Bucket: stack.uploads_bucket, Key, Body: png(360, 360), Metadata }));
    }
    for (const stack of [api, other.api]) {
      const video = await stack.finished((await stack.droppedFrom(Key)).id);
      expect(video).toMatchObject({ status: 'succeeded', source: { bucket: stack.uploads_bucket } });
      // The result is written after the record.
      const result = new GetObjectCommand({ Bucket: stack.uploads_bucket, Key: `${Key}.result.json` });
      const read = () => stack.s3.send(result).then(({ Body }) => Body!.transformToString());
      const written = await vi.waitFor(read, { timeout: 120_000, interval: 500 });
      expect(JSON.parse(written)).toMatchObject({ id: video.id, status: 'succeeded' });
    }
  });

  test('of a drop is made only by the stack with the bucket', async () => {
    for (const { api: stack, bucket } of [
      { api, bucket: outputs.UploadsBucketName },
      { api: other.api, bucket: other.outputs.UploadsBucketName },
    ]) {
      const { data } = (await stack.call('/videos?limit=100')).body as unknown as { data: VideoView[] };
      const drops = data.flatMap(({ source }) => (source.type === 'drop' ? [source] : []));
      expect(drops.map((source) => [source.bucket, source.key]).sort()).toEqual([
        [bucket, 'drop/deployed/cat.png'],
        [bucket, 'drop/deployed/dog.png'],
      ]);
    }
  });
});

describe('an event of a video', () => {
  test("reaches a queue by a rule of the operator's own on the bus of its stack", async () => {
    const [sqs, eventBridge] = [new SQSClient(client()), new EventBridgeClient(client())];
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'finished-videos' }));
    const read = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
    const { QueueArn } = (await sqs.send(read)).Attributes!;
    const bus = { EventBusName: outputs.EventBusName! };
    const pattern = { source: ['firstframe'], 'detail-type': ['video.succeeded', 'video.failed'] };
    const rule = { ...bus, Name: 'finished-videos', EventPattern: JSON.stringify(pattern) };
    const { RuleArn } = await eventBridge.send(new PutRuleCommand(rule));
    // MiniStack does not enforce it; AWS does.
    const statement = {
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: QueueArn,
      Condition: { ArnEquals: { 'aws:SourceArn': RuleArn } },
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
    const Targets = [{ Id: 'queue', Arn: QueueArn! }];
    const { FailedEntryCount } = await eventBridge.send(new PutTargetsCommand({ ...bus, Rule: rule.Name, Targets }));
    expect(FailedEntryCount).toBe(0);

    const ids = { here: await submit('Announced'), there: await submit('Announced elsewhere', other.api) };
    await Promise.all([api.finished(ids.here), other.api.finished(ids.there)]);
    const receive = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5, MaxNumberOfMessages: 10 });
    const received: unknown[] = [];
    while (received.length === 0) {
      const { Messages = [] } = await sqs.send(receive);
      for (const { Body, ReceiptHandle } of Messages) {
        received.push(JSON.parse(Body!));
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
    // Only of this stack, and only its ending.
    expect(received).toMatchObject([
      {
        source: 'firstframe',
        'detail-type': 'video.succeeded',
        detail: { version: '1', id: ids.here, status: 'succeeded', sequence: expect.any(Number), webhook: false },
      },
    ]);
  });

  test('reaches the webhook of its request, whose receiver verifies it with a Standard Webhooks library', async () => {
    const received: { headers: IncomingHttpHeaders; body: string }[] = [];
    const receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void receiver.close());
    const webhook_url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/videos?token=secret`;

    const { body: secret } = await api.post('/webhook/secret', {});
    expect(secret.secret).toMatch(/^whsec_/);
    const { status, body: video } = await api.post('/videos', { ...requestOf('Delivered'), webhook_url });
    expect(status).toBe(202);
    const finished = await api.finished(String(video.id));
    await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 300_000, interval: 500 });
    const [{ headers, body }] = received as [(typeof received)[number]];
    const verified = new Webhook(String(secret.secret)).verify(body, headers as Record<string, string>);
    expect(verified).toMatchObject({
      type: 'video.succeeded',
      data: { id: video.id, status: 'succeeded', sequence: finished.timeline.length },
    });
    const listed = async () => (await api.call(`/videos/${video.id}/deliveries`)).body;
    await vi.waitFor(async () => expect(JSON.stringify(await listed())).toContain('"delivered"'), { timeout: 60_000 });
    expect(JSON.stringify(await listed())).not.toContain('token=secret');
  });
});

test('an execution that nothing wakes queries Wan after its sleep times out', async () => {
  const stepFunctions = new SFNClient(client());
  const stateMachineArn = outputs.StateMachineArn;
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
  const changed = () => ({ ...context, uncertainSeconds: 16, wanQueriesPerSecond: 9, logRetentionDays: 14 });

  /** Returns the version of each function to which its alias points. */
  async function liveVersions(): Promise<Map<string, string>> {
    const lambda = new LambdaClient(client());
    const versions = new Map<string, string>();
    for (const { ResourceType, PhysicalResourceId } of await resourcesOf('firstframe')) {
      if (ResourceType !== 'AWS::Lambda::Function') continue;
      const alias = await lambda.send(new GetAliasCommand({ FunctionName: PhysicalResourceId, Name: 'live' }));
      versions.set(PhysicalResourceId!, alias.FunctionVersion!);
    }
    return versions;
  }

  test('of a changed stack loses no video that is under way, pays for none twice, and leaves the other stack alone', async () => {
    // As many as the model has permits: two that Wan makes until the deploy is done, and two behind them. The next stays queued.
    const prompts = [1, 2, 3, 4].map((number) => `[[seconds=3600]] Held ${number}`);
    const held = await Promise.all(prompts.map((prompt) => submit(prompt)));
    for (const id of held) await api.until(id, ({ status }) => status === 'running');
    const queued = await submit('Queued');
    const untouched = await submit('[[seconds=3600]] Held by the other stack', other.api);
    await other.api.until(untouched, ({ status }) => status === 'running');
    const before = await liveVersions();

    expect((await cdk.deploy(changed())).changed).toBe(true);

    const after = await liveVersions();
    const updated = [...after].filter(([name, version]) => before.get(name) !== version).map(([name]) => name);
    for (const name of ['CreateTask', 'CheckTask', 'ArchiveVideo', 'Watch']) {
      expect(updated).toContainEqual(expect.stringContaining(`${name}Function`));
    }
    // The executions began with the old versions and end with the new ones.
    const statuses = await Promise.all([...held, queued].map((id) => api.until(id, () => true)));
    expect(statuses.map(({ status }) => status)).toEqual([...held.map(() => 'running'), 'queued']);
    await wan.finishTasks('Held');
    for (const id of [...held, queued]) {
      expect(await api.finished(id)).toMatchObject({ status: 'succeeded', task: { attempts: 1 } });
    }
    expect(await other.api.finished(untouched)).toMatchObject({ status: 'succeeded', task: { attempts: 1 } });
    for (const prompt of [...prompts, 'Queued']) expect([prompt, submissionsOf(prompt)]).toEqual([prompt, 1]);
  });

  test('of the same stack changes nothing', async () => {
    expect((await cdk.deploy(changed())).changed).toBe(false);
  });
});

/** The tests for which MiniStack is fast and complete enough: see this folder's README. */
const endToEnd = ['owners', 'uploads', 'actions', 'reading'].map((name) => `test/e2e/${name}.test.ts`);

test('the end-to-end tests of the local stack pass', async () => {
  const environment = {
    ...ministack.environment,
    E2E_BASE_URL: api.url,
    E2E_API_KEY: api.api_key,
    E2E_OTHER_API_KEY: api.other_api_key,
    E2E_UPLOADS_BUCKET: api.uploads_bucket,
  };
  // One file at a time with long timeouts, since MiniStack starts a process for each invocation.
  const timeouts = ['--maxWorkers', '1', '--testTimeout', '300000', '--hookTimeout', '300000'];
  // MiniStack ignores Range in requests of a presigned link.
  const filter = ['--testNamePattern', '^(?!.*can be downloaded in ranges)'];
  expect(await run('npx', ['vitest', 'run', ...timeouts, ...filter, ...endToEnd], environment)).toBe(0);
}, 900_000);
