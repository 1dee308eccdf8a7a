import { keys } from '../video/keys.ts';
import { type Table, updateExpression, updateItem } from '../video/table.ts';
import { type Attempt, type Delivery, dueAt } from './deliveries.ts';

// The writes of the function that delivers: each holds only while the delivery is as it was read.

/** An attempt takes at most 10 s. */
const CLAIM_MILLISECONDS = 30_000;
/** When the delivery is tried again after a crash during the attempt. */
const CRASHED_MILLISECONDS = 120_000;

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** What an attempt or its postponement changes. */
export type Tried = { attempts?: number; last_attempts?: Attempt[]; has_slot?: true };

/** Claims a pending delivery for one attempt: no other process tries it meanwhile. */
export async function claim(table: Table, delivery: Delivery): Promise<boolean> {
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
export async function settle<State extends 'delivered' | 'failed' | 'dropped'>(
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
export async function write(table: Table, delivery: Delivery, set: object, remove: string[]): Promise<void> {
  const { update, names, values } = updateExpression({ set, remove });
  await updateItem(table, keys.delivery(delivery.video_id, delivery.sequence), {
    UpdateExpression: update,
    ConditionExpression: 'deliver_until = :read AND #state = :pending',
    ExpressionAttributeNames: { ...names, '#state': 'state' },
    ExpressionAttributeValues: { ...values, ':read': delivery.deliver_until, ':pending': 'pending' },
  });
}
