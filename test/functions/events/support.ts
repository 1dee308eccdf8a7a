import type { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import type { Platform } from '../../../functions/entries/platform.ts';
import { composeDeliver } from '../../../functions/entries/webhooks.ts';
import { type DeliveryMessage, enqueueDue, readDelivery } from '../../../functions/events/deliveries.ts';
import { publishEvents } from '../../../functions/events/outbox.ts';
import { readReceiver } from '../../../functions/events/receivers.ts';
import { type EventDetail, eventDetailSchema } from '../../../functions/events/schema.ts';
import type { SendWebhook, WebhookAnswer, WebhookRequest } from '../../../functions/events/webhook-request.ts';
import type { MetricName } from '../../../functions/shared/metrics.ts';
import { keys } from '../../../functions/video/keys.ts';
import type { Status, VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo } from '../../../functions/video/store.ts';
import { type Table, updateItem } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { aPlatform } from '../entries/platform.ts';
import { aContext } from '../log-lines.ts';

export const start = Date.parse('2026-01-01T00:00:00Z');
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const master = 'the value of the secret of the stack';
const [fastUrl, slowUrl] = ['https://sqs.us-east-1.amazonaws.com/0/fast', 'https://sqs.us-east-1.amazonaws.com/0/slow'];

/** Bus, rule, both queues, the function `deliver` and the minute job, with a clock that tests turn. */
export function aWebhookStage() {
  const clock = { now: start };
  const { table } = startTable(() => clock.now);
  const queues: Record<string, DeliveryMessage[]> = { [fastUrl!]: [], [slowUrl!]: [] };
  const published: EventDetail[] = [];
  const posts: WebhookRequest[] = [];
  const metrics: MetricName[] = [];
  /** What tests replace. */
  const behavior = {
    send: (async () => ({ status: 200, milliseconds: 5 })) as (request: WebhookRequest) => Promise<WebhookAnswer>,
    onPutEvents: async (_: EventDetail[]): Promise<void> => undefined,
  };

  const eventBridge = {
    async send({ input }: PutEventsCommand) {
      const details = input.Entries!.map(({ Detail }) => eventDetailSchema.parse(JSON.parse(Detail!)));
      await behavior.onPutEvents(details);
      published.push(...details);
      // The rule of the stack.
      queues[fastUrl!]!.push(...details.filter(({ webhook }) => webhook).map((detail) => ({ detail })));
      return { FailedEntryCount: 0 };
    },
  } as Platform['eventBridge'];
  const sqs = {
    async send({ input }: SendMessageCommand | SendMessageBatchCommand) {
      const bodies = 'Entries' in input ? input.Entries!.map((entry) => entry.MessageBody!) : [input.MessageBody!];
      queues[input.QueueUrl!]!.push(...bodies.map((body) => JSON.parse(body) as DeliveryMessage));
      return {};
    },
  } as Platform['sqs'];
  const send: SendWebhook = async (request) => {
    posts.push(request);
    return behavior.send(request);
  };
  const handlerOf = (given: Table) =>
    composeDeliver(
      {
        TABLE_NAME: table.tableName,
        SLOW_WEBHOOK_QUEUE_URL: slowUrl!,
        WEBHOOK_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:0:secret:webhooks',
        LOOPBACK_WEBHOOKS: true,
      },
      aPlatform(given, {
        sqs,
        secrets: { send: async () => ({ SecretString: master }) } as unknown as Platform['secrets'],
        recordMetric: (name) => void metrics.push(name),
        sendWebhook: send,
        logger: silent,
      }),
    );

  /** Invokes `deliver` with messages. @returns the messages that must be received again */
  async function deliver(messages: DeliveryMessage[], given: Table = table): Promise<DeliveryMessage[]> {
    const Records = messages.map((message, index) => ({ messageId: String(index), body: JSON.stringify(message) }));
    const { batchItemFailures } = await handlerOf(given)({ Records } as SQSEvent, aContext('request'));
    return batchItemFailures.map(({ itemIdentifier }) => messages[Number(itemIdentifier)]!);
  }
  /** Delivers what is in the queues, until they are empty. */
  async function drain(): Promise<void> {
    for (let rounds = 0; queues[fastUrl!]!.length + queues[slowUrl!]!.length > 0; rounds++) {
      if (rounds > 1000) throw new Error('Messages circulate.');
      for (const queue of Object.values(queues)) queue.push(...(await deliver(queue.splice(0, 10))));
    }
  }
  const publish = (video: VideoRecord, given: Table = table): Promise<void> =>
    publishEvents({ table: given, eventBridge, busName: 'videos' }, video);
  const watched = { ...table, onStatusChanged: (video: VideoRecord) => publish(video) };

  return {
    clock,
    table,
    fast: queues[fastUrl!]!,
    slow: queues[slowUrl!]!,
    sqs,
    published,
    posts,
    metrics,
    behavior,
    publish,
    deliver,
    drain,
    enqueueDue: () => enqueueDue(table, sqs, fastUrl!),
    /** Turns the clock minute by minute, and runs the minute job and `deliver` each time. */
    async pass(milliseconds: number): Promise<void> {
      for (const end = clock.now + milliseconds; clock.now < end; ) {
        clock.now = Math.min(end, clock.now + MINUTE);
        await enqueueDue(table, sqs, fastUrl!);
        await drain();
      }
    },
    /** Creates a video and moves it through statuses, which are published. */
    async video(given: Partial<VideoRecord> = {}, ...statuses: Status[]): Promise<VideoRecord> {
      const created = aVideo({ webhook: { url: 'https://one.example/hook', events: 'endings' }, ...given }, clock.now);
      await createVideo(watched, created);
      return move(created, ...statuses);
    },
    move,
    /** As if the process had died before it remembered what it published. */
    forgetPublished: ({ id }: VideoRecord) =>
      updateItem(table, keys.published(id), {
        UpdateExpression: 'REMOVE #sequence',
        ExpressionAttributeNames: { '#sequence': 'sequence' },
      }),
    delivery: async ({ id, timeline }: VideoRecord, sequence = timeline.length) => readDelivery(table, id, sequence),
    receiver: (origin = 'https://one.example') => readReceiver(table, 'alice', origin),
  };

  async function move(video: VideoRecord, ...statuses: Status[]): Promise<VideoRecord> {
    let current = video;
    for (const status of statuses) current = (await changeStatus(watched, current, status))!;
    return current;
  }
}

const silent: Platform['logger'] = {
  addContext: () => undefined,
  appendKeys: () => undefined,
  resetKeys: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Returns an answer for each attempt, the last one for all further attempts. */
export const answers = (...statuses: (number | 'timeout')[]) => {
  let count = 0;
  return async (): Promise<WebhookAnswer> => {
    const status = statuses[Math.min(count++, statuses.length - 1)]!;
    if (status === 'timeout') return { error: 'The receiver did not answer within 10 seconds.', milliseconds: 10_000 };
    return { status, milliseconds: 5 };
  };
};
