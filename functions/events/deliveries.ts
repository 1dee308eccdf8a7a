import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { settleAll, valuesOf } from '../shared/concurrency.ts';
import { indexes, timeToLive } from '../shared/table-schema.ts';
import { keys } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { getItem, queryItems, type Table, updateExpression, updateItem } from '../video/table.ts';
import type { EventDetail } from './schema.ts';

/** The delivery of one event to one webhook. Times are ISO 8601 UTC. */
export interface Delivery {
  owner: string;
  video_id: string;
  sequence: number;
  /** Of a request's own webhook. The owner's webhook is read before each attempt. */
  url?: string;
  /** Host and port of the URL when the event was published. */
  host: string;
  type: string;
  /** The exact text that is signed and sent. */
  body: string;
  /** `dropped`: a newer event of the video was delivered before, or the webhook ended. */
  state: 'pending' | 'delivered' | 'failed' | 'dropped';
  created_at: string;
  /** When the delivery is given up. */
  deliver_until: string;
  attempts: number;
  last_attempts: Attempt[];
  /** When a pending delivery is tried next, or, if a message for it exists, when that message counts as lost. */
  next_at: string;
  /** Whether the delivery waits for `next_at`: a message that arrives earlier is a duplicate. */
  scheduled?: true;
  /** Whether it was requested again: it is sent although a newer event was delivered. */
  forced?: true;
  /** Whether it was put off to a time that its receiver reserved for it. */
  has_slot?: true;
  /** Until when one attempt is in progress; others do not start. */
  claimed_until?: string;
}

export interface Attempt {
  at: string;
  status?: number;
  error?: string;
  milliseconds: number;
}

/** The index partition of pending deliveries, sorted by `next_at`. */
const PENDING = 'delivery';
const DELIVERY_HOURS = 24;
const KEPT_DAYS = 30;
/** When the message of a new delivery counts as lost. EventBridge and SQS usually take less than a second. */
const LOST_MINUTES = 5;
/** The same for a message of the minute job, which may wait behind many others. */
const ENQUEUED_MINUTES = 15;

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
const expiry = (now: number): number => Math.floor(now / 1000) + KEPT_DAYS * 24 * 3600;

/** Returns the attributes of a pending delivery that is tried at a time. @param at milliseconds since 1970 */
export const dueAt = (at: number, { video_id, sequence }: Pick<Delivery, 'video_id' | 'sequence'>) => ({
  next_at: iso(at),
  open_status: PENDING,
  open_order: `${iso(at)}#${video_id}#${sequence}`,
});

/**
 * Writes a pending delivery, unless it exists; that of an earlier video with the same id is replaced. Its event is published afterwards, so
 * no webhook is lost in a crash.
 */
export async function createDelivery(
  table: Table,
  {
    detail,
    type,
    url,
    host,
    video: { created_at },
  }: {
    detail: EventDetail;
    type: string;
    url?: string | undefined;
    host: string;
    video: Pick<VideoRecord, 'created_at'>;
  },
): Promise<void> {
  const { webhook: _, ...data } = detail;
  const now = table.now();
  const delivery: Delivery = {
    owner: detail.owner,
    video_id: detail.id,
    sequence: detail.sequence,
    ...(url === undefined ? {} : { url }),
    host,
    type,
    body: JSON.stringify({ type, timestamp: detail.at, data }),
    state: 'pending',
    created_at: iso(now),
    deliver_until: iso(now + DELIVERY_HOURS * 3600_000),
    attempts: 0,
    last_attempts: [],
    next_at: '',
  };
  const { update, names, values } = updateExpression({
    set: { ...delivery, ...dueAt(now + LOST_MINUTES * 60_000, delivery), [timeToLive]: expiry(now) },
    remove: [...(url === undefined ? ['url'] : []), 'scheduled', 'forced', 'has_slot', 'claimed_until'],
  });
  await updateItem(table, keys.delivery(detail.id, detail.sequence), {
    UpdateExpression: update,
    ConditionExpression: 'attribute_not_exists(pk) OR #created_at < :video_created_at',
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: { ...values, ':video_created_at': created_at },
  });
}

/** Returns a delivery (strongly consistent). */
export async function readDelivery(table: Table, id: string, sequence: number): Promise<Delivery | undefined> {
  return getItem<Delivery>(table, keys.delivery(id, sequence));
}

/** The most deliveries that a list contains. */
const MAX_LISTED = 100;

/** Returns the deliveries of a video's events, oldest first; of a video with more than 100 events, those of the latest. */
export async function listDeliveries(table: Table, { id, timeline }: VideoRecord): Promise<Delivery[]> {
  const sequences = timeline.map((_, index) => index + 1).slice(-MAX_LISTED);
  const read = await settleAll(10, sequences, (sequence) => readDelivery(table, id, sequence));
  return valuesOf(read, 'deliveries could not be read.').filter((delivery) => delivery !== undefined);
}

/**
 * Makes a delivery pending again, for another 24 hours, even if a newer event was delivered. The caller enqueues it.
 * @returns undefined when it does not exist
 */
export async function redeliver(table: Table, id: string, sequence: number): Promise<Delivery | undefined> {
  const now = table.now();
  const { update, names, values } = updateExpression({
    set: {
      ...dueAt(now + LOST_MINUTES * 60_000, { video_id: id, sequence }),
      state: 'pending',
      forced: true,
      attempts: 0,
      deliver_until: iso(now + DELIVERY_HOURS * 3600_000),
      [timeToLive]: expiry(now),
    },
    remove: ['scheduled', 'claimed_until'],
  });
  return updateItem<Delivery>(table, keys.delivery(id, sequence), {
    UpdateExpression: update,
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  });
}

/** What a message of the queues names: the detail of EventBridge's envelope has more, which is not read. */
export type DeliveryMessage = { detail: { id: string; sequence: number }; slow?: boolean };

/** The maximum of SendMessageBatch. */
const MESSAGES_PER_CALL = 10;
const CONCURRENT_CALLS = 5;

/** Sends messages to the queue of deliveries. @throws AggregateError when SQS refuses messages, after the others were sent */
export async function enqueue(
  sqs: Pick<SQSClient, 'send'>,
  queueUrl: string,
  deliveries: readonly Pick<Delivery, 'video_id' | 'sequence'>[],
): Promise<void> {
  const firsts = deliveries.flatMap((_, index) => (index % MESSAGES_PER_CALL === 0 ? [index] : []));
  const sent = await settleAll(CONCURRENT_CALLS, firsts, async (first) => {
    const Entries = deliveries.slice(first, first + MESSAGES_PER_CALL).map(({ video_id: id, sequence }, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify({ detail: { id, sequence } } satisfies DeliveryMessage),
    }));
    const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    if (Failed.length > 0) throw new Error(`SQS refused deliveries: ${Failed.map(({ Code }) => Code).join(', ')}.`);
  });
  valuesOf(sent, 'batches of deliveries could not be sent.');
}

/** The most deliveries that one call enqueues. */
const MAX_ENQUEUED = 2000;
const CONCURRENT_CLAIMS = 20;

/**
 * Enqueues the pending deliveries that are due: the repetitions, and those whose message was lost. Each is claimed for 15 minutes before,
 * so that concurrent calls enqueue it once.
 * @returns their number
 */
export async function enqueueDue(table: Table, sqs: Pick<SQSClient, 'send'>, queueUrl: string): Promise<number> {
  const claims: { pk: string; order: string }[] = [];
  const open = queryItems(table, {
    IndexName: indexes.byStatus.name,
    KeyConditionExpression: 'open_status = :pending AND open_order <= :now',
    // After every position of this millisecond, which an id follows.
    ExpressionAttributeValues: { ':pending': PENDING, ':now': `${iso(table.now())}~` },
    Limit: MAX_ENQUEUED,
  });
  for await (const { pk, open_order } of open) {
    claims.push({ pk: pk as string, order: open_order as string });
    if (claims.length >= MAX_ENQUEUED) break;
  }
  const claimed = await settleAll(CONCURRENT_CLAIMS, claims, ({ pk, order }) => claimDue(table, pk, order));
  const due = claimed.flatMap((outcome) => (outcome.status === 'fulfilled' && outcome.value ? [outcome.value] : []));
  await enqueue(sqs, queueUrl, due);
  valuesOf(claimed, 'due deliveries could not be claimed.');
  return due.length;
}

async function claimDue(table: Table, pk: string, order: string): Promise<Delivery | undefined> {
  const [, video_id, sequence] = order.split('#');
  const due = dueAt(table.now() + ENQUEUED_MINUTES * 60_000, { video_id: video_id!, sequence: Number(sequence) });
  const { update, names, values } = updateExpression({ set: due, remove: ['scheduled'] });
  return updateItem<Delivery>(table, pk, {
    UpdateExpression: update,
    ConditionExpression: '#open_order = :read',
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: { ...values, ':read': order },
  });
}

/** Returns how many pending deliveries are tried before a time. @param until ISO 8601 UTC */
export async function countDeliveries(table: Table, until: string): Promise<number> {
  const open = queryItems(table, {
    IndexName: indexes.byStatus.name,
    KeyConditionExpression: 'open_status = :pending AND open_order <= :until',
    ExpressionAttributeValues: { ':pending': PENDING, ':until': until },
  });
  let count = 0;
  for await (const _ of open) count += 1;
  return count;
}
