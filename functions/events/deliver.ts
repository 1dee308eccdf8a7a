import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { version } from '../../package.json';
import type { RecordMetric } from '../shared/metrics.ts';
import { keys } from '../video/keys.ts';
import { getItem, type Table, updateExpression, updateItem } from '../video/table.ts';
import { type Attempt, type Delivery, type DeliveryMessage, dueAt, readDelivery } from './deliveries.ts';
import { endRequestedWebhook, type PublishedItem, recordDelivered } from './outbox.ts';
import {
  claimProbe,
  isSlow,
  pausedUntil,
  type Receiver,
  readReceiver,
  recordFailure,
  recordSuccess,
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
/** An attempt takes at most 10 s. */
const CLAIM_MILLISECONDS = 30_000;
/** When the delivery is tried again after a crash during the attempt. */
const CRASHED_MILLISECONDS = 2 * MINUTE;
const LISTED_ATTEMPTS = 10;

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
  if (url === undefined || (delivery.url && webhook_ended && !delivery.forced))
    return settle(table, delivery, 'dropped');

  const { origin } = new URL(url);
  const receiver = await readReceiver(table, delivery.owner, origin);
  const until = pausedUntil(receiver, now);
  if (until !== undefined) return postpone(services, delivery, until);
  if (!slow && isSlow(receiver)) return move(services, { detail: { id, sequence }, slow: true });
  if (!(await claim(table, delivery))) return 'ignored';
  if (!(await claimProbe(table, delivery.owner, origin, receiver))) return postpone(services, delivery, now + MINUTE);
  return attempt(services, { delivery, url, origin, subscription }, receiver);
}

async function attempt(services: DeliverServices, target: Target, receiver: Receiver): Promise<DeliverOutcome> {
  const { table } = services;
  const { delivery, origin, url } = target;
  const { owner, video_id, sequence, body } = delivery;
  const at = iso(table.now());
  const answer = await post(services, { ...target, owner, id: `msg_${video_id}_${sequence}`, body });
  const tried = {
    attempts: delivery.attempts + 1,
    last_attempts: [...delivery.last_attempts, { at, ...answer }].slice(-LISTED_ATTEMPTS),
  };
  if (isSuccess(answer)) {
    await recordDelivered(table, video_id, sequence);
    await settle(table, delivery, 'delivered', tried);
    await recordSuccess(table, owner, origin, receiver, answer.milliseconds);
    return 'delivered';
  }
  if (answer.status === 410) {
    if (delivery.url) await endRequestedWebhook(table, video_id);
    else await endSubscription(table, owner, url);
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

type Tried = { attempts?: number; last_attempts?: Attempt[] };

/** Puts off a delivery to a paused receiver. The jitter spreads the deliveries that wait for the same receiver over a minute. */
async function postpone(services: DeliverServices, delivery: Delivery, until: number): Promise<DeliverOutcome> {
  const outcome = await schedule(services, delivery, until + services.random() * MINUTE);
  return outcome === 'retried' ? 'postponed' : outcome;
}

async function move({ sqs, slowQueueUrl }: DeliverServices, message: DeliveryMessage): Promise<'moved'> {
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
  }: Pick<Target, 'url' | 'subscription'> & { owner: string; id: string; body: string },
): Promise<WebhookAnswer> {
  const signed = signatureHeaders({ master: await master(), owner, item: subscription, id, body, now: table.now() });
  const headers = { 'content-type': 'application/json', 'user-agent': `firstframe/${version}`, ...signed };
  return send({ url, body, headers, loopback });
}

const isSuccess = ({ status = 0 }: WebhookAnswer): boolean => status >= 200 && status < 300;

/** Claims a pending delivery for one attempt: no other process tries it meanwhile. */
async function claim(table: Table, delivery: Delivery): Promise<boolean> {
  const now = table.now();
  const due = dueAt(now + CRASHED_MILLISECONDS, delivery);
  const { update, names, values } = updateExpression({
    set: { ...due, claimed_until: iso(now + CLAIM_MILLISECONDS) },
    remove: ['scheduled'],
  });
  const claimed = await updateItem(table, keys.delivery(delivery.video_id, delivery.sequence), {
    UpdateExpression: update,
    ConditionExpression:
      '#state = :pending AND attempts = :attempts AND deliver_until = :until AND (attribute_not_exists(#claimed_until) OR #claimed_until <= :now)',
    ExpressionAttributeNames: { ...names, '#state': 'state' },
    ExpressionAttributeValues: {
      ...values,
      ':pending': 'pending',
      ':attempts': delivery.attempts,
      ':until': delivery.deliver_until,
      ':now': iso(now),
    },
  });
  return claimed !== undefined;
}

/** Ends a delivery. */
async function settle<State extends 'delivered' | 'failed' | 'dropped'>(
  table: Table,
  delivery: Delivery,
  state: State,
  tried: Tried = {},
): Promise<State> {
  await write(table, delivery, { ...tried, state }, [
    'open_status',
    'open_order',
    'claimed_until',
    'scheduled',
    'forced',
  ]);
  return state;
}

/** Writes a delivery, unless it was requested again since it was read. */
async function write(table: Table, delivery: Delivery, set: object, remove: string[]): Promise<void> {
  const { update, names, values } = updateExpression({ set, remove });
  await updateItem(table, keys.delivery(delivery.video_id, delivery.sequence), {
    UpdateExpression: update,
    ConditionExpression: 'deliver_until = :read AND #state = :pending',
    ExpressionAttributeNames: { ...names, '#state': 'state' },
    ExpressionAttributeValues: { ...values, ':read': delivery.deliver_until, ':pending': 'pending' },
  });
}
