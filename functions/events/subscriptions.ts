import { keys } from '../video/keys.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import type { WebhookEvents } from '../wan/validation/webhook.ts';

/** An owner's subscription to the events of all the owner's videos, and the version of the secret that signs them. */
export interface Subscription {
  /** Undefined when the owner has no subscription, only a secret. */
  url?: string;
  events: WebhookEvents;
  /** When the owner set it. ISO 8601 UTC. */
  set_at?: string;
  /** When the receiver ended the subscription by answering 410. ISO 8601 UTC. */
  ended_at?: string;
  /** The current version of the secret. @default 1 */
  secret_version?: number;
  /** When the current version replaced the previous one. ISO 8601 UTC. */
  rotated_at?: string;
}

/** Returns an owner's subscription; undefined when the owner never had one, nor asked for the secret. */
export async function readSubscription(table: Table, owner: string): Promise<Subscription | undefined> {
  const item = await getItem<Partial<Subscription> & { pk: string }>(table, keys.webhook(owner));
  return item && subscriptionOf(item);
}

/** Subscribes an owner, from the next event on, or replaces the subscription. */
export async function putSubscription(
  table: Table,
  owner: string,
  { url, events }: { url: string; events: WebhookEvents },
): Promise<Subscription> {
  const written = await updateItem<Partial<Subscription>>(table, keys.webhook(owner), {
    UpdateExpression: 'SET #url = :url, #events = :events, set_at = :now REMOVE #ended_at',
    ExpressionAttributeNames: { '#url': 'url', '#events': 'events', '#ended_at': 'ended_at' },
    ExpressionAttributeValues: { ':url': url, ':events': events, ':now': new Date(table.now()).toISOString() },
  });
  return subscriptionOf(written!);
}

/** Ends an owner's subscription; the secret stays. @returns false when there was none */
export async function deleteSubscription(table: Table, owner: string): Promise<boolean> {
  const written = await updateItem(table, keys.webhook(owner), {
    UpdateExpression: 'REMOVE #url, #events, set_at, #ended_at',
    ConditionExpression: 'attribute_exists(#url)',
    ExpressionAttributeNames: { '#url': 'url', '#events': 'events', '#ended_at': 'ended_at' },
  });
  return written !== undefined;
}

/**
 * Marks a subscription as ended by its receiver, unless the owner has set it again since the attempt, even with the same URL.
 * @param attempted_at when the attempt began that the receiver answered with 410. ISO 8601 UTC
 */
export async function endSubscription(table: Table, owner: string, url: string, attempted_at: string): Promise<void> {
  await updateItem(table, keys.webhook(owner), {
    UpdateExpression: 'SET #ended_at = :now',
    ConditionExpression: '#url = :url AND set_at <= :attempted_at',
    ExpressionAttributeNames: { '#url': 'url', '#ended_at': 'ended_at' },
    ExpressionAttributeValues: {
      ':url': url,
      ':attempted_at': attempted_at,
      ':now': new Date(table.now()).toISOString(),
    },
  });
}

/** Records that an owner's first secret is shown. @returns false when it was shown before */
export async function showFirstSecret(table: Table, owner: string): Promise<boolean> {
  const written = await updateItem<Subscription>(table, keys.webhook(owner), {
    UpdateExpression: 'SET #version = :one',
    ConditionExpression: 'attribute_not_exists(#version)',
    ExpressionAttributeNames: { '#version': 'secret_version' },
    ExpressionAttributeValues: { ':one': 1 },
  });
  return written !== undefined;
}

/**
 * Returns the number of a new version of an owner's secret. The first call returns 1, which already signs; each further call rotates: the
 * previous version also signs for 24 hours.
 */
export async function newSecretVersion(table: Table, owner: string): Promise<number> {
  if (await showFirstSecret(table, owner)) return 1;
  const written = await updateItem<Subscription>(table, keys.webhook(owner), {
    UpdateExpression: 'SET #version = #version + :one, #rotated_at = :now',
    ExpressionAttributeNames: { '#version': 'secret_version', '#rotated_at': 'rotated_at' },
    ExpressionAttributeValues: { ':one': 1, ':now': new Date(table.now()).toISOString() },
  });
  return written!.secret_version!;
}

function subscriptionOf(item: Partial<Subscription> & { pk?: string }): Subscription {
  const { pk: _, ...subscription } = item;
  return { ...subscription, events: item.events ?? 'endings' };
}
