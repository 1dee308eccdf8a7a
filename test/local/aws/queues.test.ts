import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AwsCall } from '../../../local/aws/endpoint/aws-call.ts';
import { createEventSource, type EventSourceDefinition } from '../../../local/aws/lambda/event-source.ts';
import type { Outcome } from '../../../local/aws/lambda/function-definition.ts';
import { createQueues, type DeliverySettings } from '../../../local/aws/sqs/queues.ts';
import { sendMessage, sendMessageBatch } from '../../../local/aws/sqs/send-message.ts';
import { manualClock, temporaryDirectory } from './support.ts';

const arnOf = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;
const work = { arn: arnOf('work'), name: 'work' };
const dead = { arn: arnOf('dead'), name: 'dead' };
const settings: DeliverySettings = { visibility_timeout_seconds: 60, retention_seconds: 345_600 };
const mapping: EventSourceDefinition = {
  queue_arn: work.arn,
  function_arn: 'arn:aws:lambda:us-east-1:000000000000:function:worker:live',
  role_arn: 'arn:aws:iam::000000000000:role/worker',
  batch_size: 1,
  maximum_concurrency: 2,
  reports_failures: false,
};

interface Delivered {
  messageId: string;
  body: string;
  attributes: { ApproximateReceiveCount: string };
}
interface SetUp {
  directory?: string;
  delivery?: Partial<DeliverySettings>;
  source?: Partial<EventSourceDefinition>;
  clock?: ReturnType<typeof manualClock>;
  deliveryDelays?: () => readonly number[];
}

/** Sets up a queue, its event source, and a function that runs `handle`. */
async function polled(handle: (records: Delivered[]) => unknown, setUp: SetUp = {}) {
  const { directory = temporaryDirectory(), clock = manualClock(), deliveryDelays } = setUp;
  const queues = createQueues({
    directory,
    now: clock.now,
    queues: [{ ...work, delivery: { ...settings, ...setUp.delivery } }, dead],
  });
  const calls: AwsCall[] = [];
  const events: { Records: Delivered[] }[] = [];
  const source = createEventSource({
    ...mapping,
    ...setUp.source,
    clock,
    queues,
    recordCall: (call) => calls.push(call),
    ...(deliveryDelays ? { faults: { deliveryDelays: deliveryDelays } } : {}),
    async invoke(_, payload): Promise<Outcome> {
      const event = JSON.parse(payload);
      events.push(event);
      try {
        return { payload: JSON.stringify((await handle(event.Records)) ?? null) };
      } catch (error) {
        return { error: { errorType: 'Error', errorMessage: String(error) } };
      }
    },
  });
  await queues.resume();
  source.start();
  onTestFinished(() => source.close());
  return {
    queues,
    clock,
    calls,
    events,
    source,
    /** Advances the clock and waits until all due messages are handled. */
    async advance(seconds: number) {
      clock.advance(seconds * 1000);
      await source.idle();
    },
    bodies: () => events.flatMap(({ Records }) => Records.map(({ body }) => body)),
    storedFiles: () => (existsSync(path.join(directory, 'work')) ? readdirSync(path.join(directory, 'work')) : []),
    deadLetters: () =>
      existsSync(path.join(directory, 'dead.jsonl'))
        ? readFileSync(path.join(directory, 'dead.jsonl'), 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line))
        : [],
  };
}
const fail = () => {
  throw new Error('no');
};

describe('a message', () => {
  test('is delivered in SQS’s format and deleted', async () => {
    const { queues, clock, source, events, calls, storedFiles } = await polled(() => undefined);
    const sent = clock.now();
    const messageId = await queues.send(work.arn, '{"id":"é"}');
    await source.idle();
    expect(events).toEqual([
      {
        Records: [
          {
            messageId,
            receiptHandle: expect.any(String),
            body: '{"id":"é"}',
            attributes: {
              ApproximateReceiveCount: '1',
              SentTimestamp: String(sent),
              SenderId: expect.any(String),
              ApproximateFirstReceiveTimestamp: String(sent),
            },
            messageAttributes: {},
            md5OfBody: '5958122e49dd2cd79d573d45bf31befa',
            eventSource: 'aws:sqs',
            eventSourceARN: work.arn,
            awsRegion: 'us-east-1',
          },
        ],
      },
    ]);
    expect(storedFiles()).toEqual([]);
    const role = { principal: mapping.role_arn, resource: work.arn };
    expect(calls).toMatchObject([
      { ...role, action: 'sqs:GetQueueAttributes' },
      { ...role, action: 'sqs:ReceiveMessage' },
      { ...role, action: 'sqs:DeleteMessage' },
    ]);
  });

  test('waits for its delay', async () => {
    const { queues, source, advance, bodies } = await polled(() => undefined);
    await queues.send(work.arn, 'a', {}, 10);
    await source.idle();
    await advance(9.999);
    expect(bodies()).toEqual([]);
    await advance(0.001);
    expect(bodies()).toEqual(['a']);
    await advance(86_400);
    expect(bodies()).toEqual(['a']);
  });

  test('is received again after its visibility timeout and counts its receives', async () => {
    const { queues, source, advance, events, storedFiles } = await polled(([record]) =>
      record?.attributes.ApproximateReceiveCount === '2' ? undefined : fail(),
    );
    await queues.send(work.arn, 'a');
    await source.idle();
    await advance(59.999);
    expect(events).toHaveLength(1);
    expect(storedFiles()).toHaveLength(1);
    await advance(0.001);
    expect(events.map(({ Records }) => Records[0]?.attributes.ApproximateReceiveCount)).toEqual(['1', '2']);
    expect(storedFiles()).toEqual([]);
  });

  test('is moved to the dead-letter queue after the redrive policy’s number of failures', async () => {
    const redrive = { dead_letter_arn: dead.arn, maximum_receive_count: 3 };
    const { queues, clock, source, advance, events, storedFiles, deadLetters } = await polled(fail, {
      delivery: { redrive },
    });
    const sentAt = new Date(clock.now()).toISOString();
    const messageId = await queues.send(work.arn, 'a', { Kind: 'drop' });
    await source.idle();
    await advance(60);
    await advance(60);
    expect(events).toHaveLength(3);
    expect(deadLetters()).toEqual([]);
    await advance(60);
    expect(deadLetters()).toEqual([
      { message_id: messageId, sent_at: sentAt, body: 'a', attributes: { Kind: 'drop' } },
    ]);
    await advance(86_400);
    expect(events).toHaveLength(3);
    expect(deadLetters()).toHaveLength(1);
    expect(storedFiles()).toEqual([]);
  });

  test('is deleted when it is older than the retention period', async () => {
    const { queues, source, advance, events, storedFiles } = await polled(fail, {
      delivery: { retention_seconds: 90 },
    });
    await queues.send(work.arn, 'a');
    await source.idle();
    await advance(60);
    await advance(60);
    expect(events).toHaveLength(2);
    expect(storedFiles()).toEqual([]);
  });

  test('is deleted after the first of two injected deliveries', async () => {
    const deliveryDelays = () => [0, 500];
    const { queues, source, advance, bodies, storedFiles } = await polled(() => undefined, { deliveryDelays });
    await queues.send(work.arn, 'a');
    await source.idle();
    expect(storedFiles()).toEqual([]);
    await advance(0.5);
    expect(bodies()).toEqual(['a', 'a']);
  });
});

describe('a batch', () => {
  const bodies = ['a', 'b', 'c', 'd'];
  async function batchOf(handle: (records: Delivered[]) => unknown, source: Partial<EventSourceDefinition> = {}) {
    const all = await polled(handle, { source: { batch_size: 10, ...source } });
    for (const body of bodies) await all.queues.send(work.arn, body, {}, 1);
    await all.advance(1);
    expect(all.events[0]?.Records.map(({ body }) => body).sort()).toEqual(bodies);
    return all;
  }

  test('is received again as a whole when it fails', async () => {
    const { advance, events, storedFiles } = await batchOf(fail);
    expect(storedFiles()).toHaveLength(4);
    await advance(60);
    expect(events[1]?.Records.map(({ body }) => body).sort()).toEqual(bodies);
  });

  test('whose function reports failures is deleted but for the messages that it names', async () => {
    const failing = (records: Delivered[]) =>
      records.filter(({ body, attributes }) => body === 'b' && attributes.ApproximateReceiveCount === '1');
    const handle = (records: Delivered[]) => ({
      batchItemFailures: failing(records).map(({ messageId }) => ({ itemIdentifier: messageId })),
    });
    const { advance, events, storedFiles } = await batchOf(handle, { reports_failures: true });
    expect(storedFiles()).toHaveLength(1);
    await advance(60);
    expect(events[1]?.Records.map(({ body }) => body)).toEqual(['b']);
    expect(storedFiles()).toEqual([]);
  });

  test.each([[undefined], [{}], [{ batchItemFailures: [] }], [{ batchItemFailures: null }]])(
    'whose function reports no failure (%j) is deleted',
    async (result) => {
      expect((await batchOf(() => result, { reports_failures: true })).storedFiles()).toEqual([]);
    },
  );

  test.each([[{ itemIdentifier: 'unknown' }], [{ itemIdentifier: '' }], [{}], [null]])(
    'whose function reports a failure that names none of its messages (%j) is received again as a whole',
    async (failure) => {
      const { storedFiles } = await batchOf(() => ({ batchItemFailures: [failure] }), { reports_failures: true });
      expect(storedFiles()).toHaveLength(4);
    },
  );

  test('whose function does not report failures is deleted for any result', async () => {
    const handle = ([first]: Delivered[]) => ({ batchItemFailures: [{ itemIdentifier: first!.messageId }] });
    expect((await batchOf(handle)).storedFiles()).toEqual([]);
  });
});

test('handles all messages with no more concurrency than the event source allows', async () => {
  let running = 0;
  let most = 0;
  let allRun = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    allRun = resolve;
  });
  const { queues, source, bodies, storedFiles } = await polled(
    async () => {
      running += 1;
      most = Math.max(most, running);
      if (running === 3) allRun();
      await gate;
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    },
    { source: { maximum_concurrency: 3 } },
  );
  const sent = Array.from({ length: 20 }, (_, index) => String(index));
  await Promise.all(sent.map((body) => queues.send(work.arn, body)));
  await source.idle();
  expect(most).toBe(3);
  expect(bodies().sort()).toEqual(sent.sort());
  expect(storedFiles()).toEqual([]);
});

test('redelivers sent and unfinished messages after the process was killed', async () => {
  const directory = temporaryDirectory();
  const script = path.join(directory, 'send.mts');
  const from = (file: string) => JSON.stringify(path.resolve('local/aws', file));
  const queue = { ...work, delivery: { ...settings, visibility_timeout_seconds: 900 } };
  await writeFile(
    script,
    `import { createQueues } from ${from('sqs/queues.ts')};
     import { createEventSource } from ${from('lambda/event-source.ts')};
     import { systemClock } from ${from('clock.ts')};
     const queues = createQueues({ directory: ${JSON.stringify(directory)}, now: Date.now, queues: [${JSON.stringify(queue)}] });
     const source = createEventSource({ ...${JSON.stringify(mapping)}, clock: systemClock, queues, recordCall() {},
       invoke: () => { console.log('handling'); return new Promise(() => {}) } });
     await queues.send(${JSON.stringify(work.arn)}, 'delayed', {}, 600);
     await queues.send(${JSON.stringify(work.arn)}, 'handled');
     source.start();
     setInterval(() => {}, 1000);`,
  );
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));

  const clock = manualClock(Date.now());
  const { source, advance, events, storedFiles } = await polled(() => undefined, { directory, clock });
  await source.idle();
  expect(events).toMatchObject([{ Records: [{ body: 'handled', attributes: { ApproximateReceiveCount: '2' } }] }]);
  await advance(600);
  expect(events[1]).toMatchObject({ Records: [{ body: 'delayed', attributes: { ApproximateReceiveCount: '1' } }] });
  expect(storedFiles()).toEqual([]);
});

describe('SendMessage rejects', () => {
  const queues = createQueues({ directory: 'nowhere', now: Date.now, queues: [work] });
  const QueueUrl = 'https://sqs.us-east-1.amazonaws.com/000000000000/work';

  test.each([
    ['a queue that does not exist', { QueueUrl: `${QueueUrl}2`, MessageBody: 'a' }, 'QueueDoesNotExist'],
    ['an empty body', { QueueUrl, MessageBody: '' }, 'InvalidParameterValue'],
    ['a body of over 1 MiB', { QueueUrl, MessageBody: 'é'.repeat(524_289) }, 'InvalidParameterValue'],
    ['characters that are not XML', { QueueUrl, MessageBody: 'a\uffff' }, 'InvalidMessageContents'],
    ['a delay of more than 15 minutes', { QueueUrl, MessageBody: 'a', DelaySeconds: 901 }, 'InvalidParameterValue'],
    ['a negative delay', { QueueUrl, MessageBody: 'a', DelaySeconds: -1 }, 'InvalidParameterValue'],
    ['a fraction of a second', { QueueUrl, MessageBody: 'a', DelaySeconds: 0.5 }, 'InvalidParameterValue'],
    ['an unsupported parameter', { QueueUrl, MessageBody: 'a', MessageGroupId: 'g' }, 'InvalidParameterValue'],
  ])('%s', async (_, input, name) => {
    await expect(sendMessage(input, queues)).rejects.toMatchObject({ name, status: 400 });
  });
});

describe('SendMessageBatch', () => {
  const QueueUrl = 'https://sqs.us-east-1.amazonaws.com/000000000000/work';
  const message = (Id: string, MessageBody = Id) => ({ Id, MessageBody });

  test('sends each message, and reports the invalid ones', async () => {
    const { queues, source, bodies } = await polled(() => undefined);
    const result = await sendMessageBatch(
      { QueueUrl, Entries: [message('a'), message('b', ''), message('c')] },
      queues,
    );
    expect(result.Successful).toMatchObject([
      { Id: 'a', MessageId: expect.any(String), MD5OfMessageBody: '0cc175b9c0f1b6a831c399e269772661' },
      { Id: 'c' },
    ]);
    expect(result.Failed).toMatchObject([{ Id: 'b', Code: 'InvalidParameterValue', SenderFault: true }]);
    await source.idle();
    expect(bodies().sort()).toEqual(['a', 'c']);
  });

  test.each([
    ['no message', { Entries: [] }, 'EmptyBatchRequest'],
    ['eleven messages', { Entries: Array.from({ length: 11 }, (_, index) => message(`${index}`)) }, 'TooManyEntries'],
    ['an id twice', { Entries: [message('a'), message('a')] }, 'BatchEntryIdsNotDistinct'],
    ['another queue', { QueueUrl: `${QueueUrl}2`, Entries: [message('a')] }, 'QueueDoesNotExist'],
    ['an unsupported parameter', { Entries: [message('a')], Other: 1 }, 'InvalidParameterValue'],
  ])('rejects %s', async (_, input, name) => {
    const { queues } = await polled(() => undefined);
    await expect(sendMessageBatch({ QueueUrl, ...input }, queues)).rejects.toMatchObject({
      name: expect.stringContaining(name),
    });
  });
});
