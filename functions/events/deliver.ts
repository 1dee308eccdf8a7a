import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { version } from '../../package.json';
import type { RecordMetric } from '../shared/metrics.ts';
import { keys } from '../video/keys.ts';
import { getItem, type Table } from '../video/table.ts';
import { type Delivery, type DeliveryMessage, dueAt, readDelivery } from './deliveries.ts';
import { claim, settle, type Tried, write } from './delivery-state.ts';
import { endRequestedWebhook, type PublishedItem, recordDelivered } from './outbox.ts';
import {
  claimProbe,
  isSlow,
  pausedUntil,
  type Receiver,
  readReceiver,
  recordFailure,
  recordSuccess,
  recordTimeout,
  reserveSlot,
} from './receivers.ts';
import { endSubscription, readSubscription, type Subscription } from './subscriptions.ts';
import type { SendWebhook, WebhookAnswer } from './webhook-request.ts';
import { signatureHeaders } from './webhook-secret.ts';

export interface WebhookServices {
  table: Table;
  /** Returns the secret from which the owners' secrets are derived. */
  master: () => Promise<string>;
  send: SendWebhook;
  /** Whether webhooks may go to this computer. */
  loopback: boolean;
}

export interface DeliverServices extends WebhookServices {
  sqs: Pick<SQSClient, 'send'>;
  slowQueueUrl: string;
  /** Returns a number from 0 to less than 1. */
  random: () => number;
  recordMetric: RecordMetric;
}

/** What became of a message. `ignored`: a duplicate, or nothing is left to deliver. */
export type DeliverOutcome = 'ignored' | 'moved' | 'postponed' | 'delivered' | 'retried' | 'failed' | 'dropped';

const MINUTE = 60_000;
const MAX_BACKOFF = 4 * 60 * MINUTE;
const LISTED_ATTEMPTS = 10;
/** How long an attempt may take outside of the slow queue, where the others of its batch wait for it. */
const FAST_MILLISECONDS = 2000;
const CUT_OFF = 'The receiver did not answer within 2 seconds. It gets 10 seconds next.';
/** Deliveries to a slow receiver wait in the table until this long before their time, so that the slow queue stays short. */
const SLOW_QUEUE_MILLISECONDS = MINUTE;

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** Where a delivery goes. */
interface Target {
  delivery: Delivery;
  url: string;
  origin: string;
  /** Of the owner, for the version of the secret. */
  subscription: Subscription | undefined;
}

/**
 * Handles one message: sends the event, or puts the delivery off. A failed attempt is not an error: the delivery's next time is written, and
 * the minute job enqueues it then.
 * @throws what the table, SQS or Secrets Manager throw: the message must be received again
 */
export async function deliverMessage(
  services: DeliverServices,
  { detail: { id, sequence }, slow = false }: DeliveryMessage,
): Promise<DeliverOutcome> {
  const { table } = services;
  const delivery = await readDelivery(table, id, sequence);
  if (delivery?.state !== 'pending') return 'ignored';
  const now = table.now();
  if (delivery.scheduled && Date.parse(delivery.next_at) > now) return 'ignored';
  if (delivery.claimed_until && Date.parse(delivery.claimed_until) > now) return 'ignored';
  const [published, subscription] = await Promise.all([
    getItem<PublishedItem>(table, keys.published(id)),
    readSubscription(table, delivery.owner),
  ]);
  const { delivered = 0, webhook_ended } = published ?? {};
  if (!delivery.forced && delivered > sequence) return settle(table, delivery, 'dropped');
  // The process died between the two writes of a success.
  if (!delivery.forced && delivered === sequence) return settle(table, delivery, 'delivered');
  const url = delivery.url ?? (subscription?.ended_at ? undefined : subscription?.url);
  if (url === undefined || (delivery.url !== undefined && delivery.url === webhook_ended && !delivery.forced))
    return settle(table, delivery, 'dropped');

  const { origin } = new URL(url);
  const receiver = await readReceiver(table, delivery.owner, origin);
  const until = pausedUntil(receiver, now);
  const target = { delivery, url, origin, subscription };
  if (until !== undefined) return postpone(services, target, receiver, until);
  if (!slow && isSlow(receiver)) return queueSlow(services, target, receiver);
  if (!(await claim(table, delivery))) return 'ignored';
  if (!(await claimProbe(table, delivery.owner, origin, receiver)))
    return postpone(services, target, receiver, now + MINUTE);
  return attempt(services, target, receiver, slow);
}

async function attempt(
  services: DeliverServices,
  target: Target,
  receiver: Receiver,
  slow: boolean,
): Promise<DeliverOutcome> {
  const { table } = services;
  const { delivery, origin, url } = target;
  const { owner, video_id, sequence, body } = delivery;
  const at = iso(table.now());
  const timeout = slow ? undefined : FAST_MILLISECONDS;
  const answer = await post(services, { ...target, owner, id: `msg_${video_id}_${sequence}`, body, timeout });
  const isCutOff = timeout !== undefined && answer.status === undefined && answer.milliseconds >= timeout;
  const last_attempts = [...delivery.last_attempts, { at, ...answer, ...(isCutOff ? { error: CUT_OFF } : {}) }].slice(
    -LISTED_ATTEMPTS,
  );
  if (isCutOff) {
    // Not a failure yet: the slow queue repeats the attempt with more time.
    await recordTimeout(table, owner, origin, answer.milliseconds);
    await write(table, delivery, { last_attempts }, ['claimed_until']);
    return move(services, delivery);
  }
  const tried = { attempts: delivery.attempts + 1, last_attempts };
  if (isSuccess(answer)) {
    await recordDelivered(table, video_id, sequence);
    await settle(table, delivery, 'delivered', tried);
    await recordSuccess(table, owner, origin, receiver, answer.milliseconds);
    return 'delivered';
  }
  if (answer.status === 410) {
    if (delivery.url) await endRequestedWebhook(table, video_id, url);
    else await endSubscription(table, owner, url, at);
    await recordSuccess(table, owner, origin, receiver, answer.milliseconds);
    return settle(table, delivery, 'failed', tried);
  }
  await recordFailure(table, owner, origin, receiver);
  const backoff = Math.min(MAX_BACKOFF, 2 ** delivery.attempts * MINUTE) * (1 + services.random() / 5);
  return schedule(services, delivery, table.now() + backoff, tried);
}

/** A failed delivery is tried once more when its time ends. */
async function schedule(
  services: DeliverServices,
  delivery: Delivery,
  at: number,
  tried: Tried = {},
): Promise<'retried' | 'failed'> {
  const { table, recordMetric } = services;
  const end = Date.parse(delivery.deliver_until);
  if (table.now() >= end) {
    await settle(table, delivery, 'failed', tried);
    recordMetric('WebhookFailed');
    return 'failed';
  }
  await write(table, delivery, { ...tried, ...dueAt(Math.min(at, end), delivery), scheduled: true }, ['claimed_until']);
  return 'retried';
}

/** Puts off a delivery until its receiver is not paused, and has got those that were put off before. */
async function postpone(
  services: DeliverServices,
  { delivery, origin }: Target,
  receiver: Receiver,
  from: number,
): Promise<DeliverOutcome> {
  return putOff(services, delivery, await reserveSlot(services.table, delivery.owner, origin, receiver, from));
}

/** Moves a delivery to the slow queue, unless its receiver has enough to do there for now. */
async function queueSlow(services: DeliverServices, target: Target, receiver: Receiver): Promise<DeliverOutcome> {
  const { delivery, origin } = target;
  if (delivery.has_slot || delivery.attempts > 0) return move(services, delivery);
  const now = services.table.now();
  const at = await reserveSlot(services.table, delivery.owner, origin, receiver, now);
  return at - now <= SLOW_QUEUE_MILLISECONDS ? move(services, delivery) : putOff(services, delivery, at);
}

async function putOff(services: DeliverServices, delivery: Delivery, at: number): Promise<'postponed' | 'failed'> {
  const outcome = await schedule(services, delivery, at, { has_slot: true });
  return outcome === 'retried' ? 'postponed' : outcome;
}

async function move(
  { sqs, slowQueueUrl }: DeliverServices,
  { video_id: id, sequence }: Pick<Delivery, 'video_id' | 'sequence'>,
): Promise<'moved'> {
  const message: DeliveryMessage = { detail: { id, sequence }, slow: true };
  await sqs.send(new SendMessageCommand({ QueueUrl: slowQueueUrl, MessageBody: JSON.stringify(message) }));
  return 'moved';
}

/** Sends an event of the type `webhook.test` to the owner's webhook, without effect on deliveries. @returns undefined without a webhook */
export async function testWebhook(services: WebhookServices, owner: string): Promise<WebhookAnswer | undefined> {
  const { table } = services;
  const subscription = await readSubscription(table, owner);
  if (subscription?.url === undefined) return undefined;
  const now = table.now();
  const body = JSON.stringify({ type: 'webhook.test', timestamp: iso(now), data: { owner } });
  return post(services, { url: subscription.url, subscription, owner, id: `msg_test_${now}`, body });
}

/** Signs and sends a body. */
async function post(
  { table, master, send, loopback }: WebhookServices,
  {
    url,
    subscription,
    owner,
    id,
    body,
    timeout,
  }: Pick<Target, 'url' | 'subscription'> & { owner: string; id: string; body: string; timeout?: number | undefined },
): Promise<WebhookAnswer> {
  const signed = signatureHeaders({ master: await master(), owner, item: subscription, id, body, now: table.now() });
  const headers = { 'content-type': 'application/json', 'user-agent': `firstframe/${version}`, ...signed };
  return send({ url, body, headers, loopback, ...(timeout === undefined ? {} : { timeout }) });
}

const isSuccess = ({ status = 0 }: WebhookAnswer): boolean => status >= 200 && status < 300;
