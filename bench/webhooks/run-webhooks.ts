import type { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse } from 'aws-lambda';
import type { Platform } from '../../functions/entries/platform.ts';
import { publishEvents } from '../../functions/events/outbox.ts';
import type { EventDetail } from '../../functions/events/schema.ts';
import { putSubscription } from '../../functions/events/subscriptions.ts';
import { type FunctionName, readEnvironment } from '../../functions/shared/environment.ts';
import { deterministicId } from '../../functions/video/keys.ts';
import type { VideoRecord } from '../../functions/video/record.ts';
import { newVideo } from '../../functions/video/store.ts';
import type { prices } from '../../infra/operations/cost.ts';
import { simulateAws } from '../simulation/aws.ts';
import { createVirtualClock, type VirtualClock } from '../simulation/clock.ts';
import { readDeployment } from '../simulation/deployment.ts';
import { simulateEventSource } from '../simulation/event-source.ts';
import { createLatency } from '../simulation/latency.ts';
import { seededRandom } from '../simulation/random.ts';
import { createReceivers, type Receiver, type Receivers, receivers, senderTo, urlOf } from './receivers.ts';

export interface WebhookOptions {
  seed: number;
  /** Of all receivers together, in equal parts. */
  events_per_second: number;
  /** How long events are published. */
  seconds: number;
  /** How long after that the dead receiver starts to answer. */
  dead_seconds: number;
  /** When the run ends at the latest, counted from the last event. */
  drain_seconds: number;
}

export interface WebhookResult {
  /** Milliseconds from an event to its receipt, of the events that were received, in ascending order. */
  delays: Record<Receiver, number[]>;
  published: Record<Receiver, number>;
  attempts: Record<Receiver, number>;
  repeated: Record<Receiver, number>;
  attempts_while_dead: number;
  /** Seconds from the last event until all were received; undefined when that did not happen. */
  drained_seconds: number | undefined;
  /** Messages sent to the queues. */
  messages: number;
  /** The most messages that have waited in a queue. */
  longest_queue: number;
  counts: Counts;
  /** The longest run of the minute job, and the most deliveries that it enqueued. */
  job: { seconds: number; enqueued: number };
  unhandledErrors: readonly unknown[];
}

type Counts = Partial<Record<keyof typeof prices, number>>;

export const START = Date.parse('2026-01-01T00:00:00Z');
const MEGABYTES_OF_A_CPU = 1769;
/**
 * CPU time of a message on a whole CPU. A delivery takes eight calls of AWS, each about 1 ms, and a TLS connection of about 2 ms; one that is
 * put off or moved takes less. Measured on one machine.
 */
const DELIVERY_CPU_MILLISECONDS = 8;
/** The same for enqueuing a delivery: one call, and a share of others. */
const ENQUEUE_CPU_MILLISECONDS = 1.5;
export const assumptions = `${DELIVERY_CPU_MILLISECONDS} ms of a whole CPU per message of deliver, ${ENQUEUE_CPU_MILLISECONDS} ms per delivery that the minute job enqueues, a CPU per ${MEGABYTES_OF_A_CPU} MB.`;

/** Publishes events through the outbox, and delivers them with the deployed functions until all receivers have all. */
export async function runWebhooks(options: WebhookOptions): Promise<WebhookResult> {
  const random = seededRandom(options.seed);
  const clock = createVirtualClock(START);
  const latency = createLatency(clock, random);
  const counts: Counts = {};
  const count = (unit: keyof typeof prices, amount: number) => {
    counts[unit] = (counts[unit] ?? 0) + amount;
  };
  const unused = 'http://127.0.0.1:9';
  const deployment = await readDeployment({ awsUrl: unused, emulatorUrl: unused }, {});
  const cpuMilliseconds = (name: FunctionName, milliseconds: number) =>
    (milliseconds * MEGABYTES_OF_A_CPU) / deployment.memoryOf(name);
  const { WEBHOOK_QUEUE_URL } = readEnvironment('dispatch', deployment.environmentOf('dispatch'));
  const { SLOW_WEBHOOK_QUEUE_URL } = readEnvironment('deliver', deployment.environmentOf('deliver'));
  const target = createReceivers(clock, START + (options.seconds + options.dead_seconds) * 1000);

  const invoke = async (event: { Records: object[] }): Promise<SQSBatchResponse> => {
    // Receiving and deleting the batch.
    count('queueRequest', 2);
    const own = cpuMilliseconds('deliver', event.Records.length * DELIVERY_CPU_MILLISECONDS);
    count('lambdaGigabyteSecond', (own / 1000) * (deployment.memoryOf('deliver') / 1024));
    await clock.sleep(own);
    return (await aws.lambda.invoke('deliver', event)) as SQSBatchResponse;
  };
  const queues = Object.fromEntries(
    [WEBHOOK_QUEUE_URL, SLOW_WEBHOOK_QUEUE_URL].map((url) => [
      url,
      simulateEventSource({ clock }, { ...deployment.eventSourceOf(url), invoke }),
    ]),
  );
  const sqs = {
    send: ({ input }: SendMessageCommand | SendMessageBatchCommand) =>
      latency('sqs', async () => {
        count('queueRequest', 1);
        const entries = 'Entries' in input ? input.Entries! : [input as SendMessageCommand['input']];
        for (const { MessageBody } of entries) queues[input.QueueUrl!]!.send(MessageBody!);
        return {};
      }),
  } as Platform['sqs'];
  /** The bus, and the stack's rule for webhooks. */
  const eventBridge = {
    async send({ input: { Entries = [] } }: PutEventsCommand) {
      await latency('putEvents', async () => count('busEvent', Entries.length));
      for (const { Detail = '' } of Entries) {
        const detail = JSON.parse(Detail) as EventDetail;
        if (!detail.webhook) continue;
        void latency('eventBridge', async () => {
          count('queueRequest', 1);
          queues[WEBHOOK_QUEUE_URL]!.send(JSON.stringify({ detail }));
        });
      }
      return { FailedEntryCount: 0 };
    },
  } as Platform['eventBridge'];
  const none = { send: () => Promise.reject(new Error('This bench has no such service.')) };
  const aws = await simulateAws({ clock, latency, random, count }, deployment, {
    fetch: () => Promise.reject(new Error('This bench has no network.')),
    s3: none as Partial<Platform['s3']> as Platform['s3'],
    recordMetric: () => undefined,
    sqs: () => sqs,
    eventBridge,
    sendWebhook: senderTo(target),
  });

  for (const receiver of receivers)
    await putSubscription(aws.table, receiver, { url: urlOf(receiver), events: 'endings' });
  const publishing = publish({ clock, random, target }, options, (video) =>
    publishEvents({ table: { ...aws.table, client: aws.dynamoDb }, eventBridge, busName: 'bus' }, video),
  );
  const job = { seconds: 0, enqueued: 0 };
  const failures: unknown[] = [];
  void (async () => {
    for (;;) {
      await clock.sleep(60_000);
      const [began, sent] = [clock.now(), sentTo(queues)];
      await aws.lambda.invoke('dispatch', {}).catch((error: unknown) => failures.push(error));
      // Others send messages meanwhile, so this is at least what the job enqueued.
      const enqueued = sentTo(queues) - sent;
      const own = cpuMilliseconds('dispatch', enqueued * ENQUEUE_CPU_MILLISECONDS);
      const seconds = (clock.now() - began + own) / 1000;
      job.seconds = Math.max(job.seconds, seconds);
      job.enqueued = Math.max(job.enqueued, enqueued);
    }
  })();
  const drained_seconds = await runUntilDrained({ clock, target, publishing }, options);
  return {
    ...collect(target),
    drained_seconds,
    messages: sentTo(queues),
    longest_queue: Math.max(...Object.values(queues).map((queue) => queue.counts.longest)),
    counts,
    job,
    unhandledErrors: [...failures, ...aws.unhandledErrors()],
  };
}

const sentTo = (queues: Readonly<Record<string, { counts: { sent: number } }>>): number =>
  Object.values(queues).reduce((sum, queue) => sum + queue.counts.sent, 0);

/** Ends videos at random times of the same mean rate, with one event each, for each receiver in order. */
export function publish(
  { clock, random, target }: { clock: VirtualClock; random: () => number; target: Receivers },
  { events_per_second, seconds }: WebhookOptions,
  announce: (video: VideoRecord) => Promise<void>,
) {
  const state: { done: boolean; failures: unknown[] } = { done: false, failures: [] };
  void (async () => {
    for (let number = 0; number < events_per_second * seconds; number++) {
      await clock.sleep((1000 / events_per_second) * 2 * random());
      const owner = receivers[number % receivers.length]!;
      const video = endedVideo(owner, number, clock.now());
      target.publish(owner, video.id);
      void announce(video).catch((error: unknown) => state.failures.push(error));
    }
    state.done = true;
  })();
  return state;
}

/** @returns seconds from the last event until all were received; undefined when that takes too long */
export async function runUntilDrained(
  { clock, target, publishing }: { clock: VirtualClock; target: Receivers; publishing: ReturnType<typeof publish> },
  { drain_seconds }: WebhookOptions,
): Promise<number | undefined> {
  await clock.run(() => publishing.done, Number.POSITIVE_INFINITY);
  const last = clock.now();
  const latest = last + drain_seconds * 1000;
  await clock.run(() => target.missing === 0 || clock.now() >= latest, Number.POSITIVE_INFINITY);
  if (publishing.failures.length > 0) throw publishing.failures[0];
  return target.missing === 0 ? (clock.now() - last) / 1000 : undefined;
}

/** Returns what the receivers have measured. */
export function collect(target: Receivers) {
  const perReceiver = <Value>(read: (receiver: Receiver) => Value) =>
    Object.fromEntries(receivers.map((receiver) => [receiver, read(receiver)])) as Record<Receiver, Value>;
  return {
    delays: perReceiver((receiver) =>
      [...target.events[receiver].values()]
        .flatMap(({ published, received }) => (received === undefined ? [] : received - published))
        .sort((one, other) => one - other),
    ),
    published: perReceiver((receiver) => target.events[receiver].size),
    attempts: { ...target.attempts },
    repeated: { ...target.repeated },
    attempts_while_dead: target.attemptsWhileDead,
  };
}

function endedVideo(owner: string, number: number, now: number): VideoRecord {
  const video = newVideo(
    {
      id: deterministicId(owner, String(number)),
      owner,
      source: { type: 'api', key_id: 'k1' },
      model: 'wan2.2-i2v-plus',
      input: { prompt: 'A cat runs', media: [] },
      parameters: { resolution: '480P', duration: 5 },
      metadata: {},
      warnings: [],
      request_hash: 'hash',
    },
    now,
  );
  return { ...video, status: 'canceled', timeline: [{ status: 'canceled', at: video.created_at }] };
}
