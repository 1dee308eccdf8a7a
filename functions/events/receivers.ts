import { timeToLive } from '../shared/table-schema.ts';
import { keys } from '../video/keys.ts';
import { getItem, type Table, updateExpression, updateItem } from '../video/table.ts';

/** How the server behind an owner's webhooks answers. Undefined for one that has always answered well and fast. */
export interface Receiver {
  /** Failed attempts in a row. */
  failures?: number;
  /** ISO 8601 UTC. After this time one delivery is tried, the probe. */
  paused_until?: string;
  pause_seconds?: number;
  /** How long successful answers took: a moving average. */
  milliseconds?: number;
  /** The time of the last delivery that was put off, in milliseconds since 1970. */
  last_slot?: number;
}

/** After this many failures in a row a receiver is paused. */
const FAILURES = 3;
const FIRST_PAUSE_SECONDS = 60;
const MAX_PAUSE_SECONDS = 15 * 60;
/** How long other deliveries wait for the result of a probe. */
const PROBE_SECONDS = 60;
const SLOW_MILLISECONDS = 1000;
/** The weight of a new answer in the moving average. */
const WEIGHT = 0.3;
/** A smaller change of the average is not worth a write. */
const RELEVANT_MILLISECONDS = 100;
const KEPT_DAYS = 30;

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

export async function readReceiver(table: Table, owner: string, origin: string): Promise<Receiver> {
  return (await getItem<Receiver>(table, keys.receiver(owner, origin))) ?? {};
}

/** Whether an attempt may take long, so that it belongs in the slow queue. */
export const isSlow = ({ failures = 0, paused_until, milliseconds = 0 }: Receiver): boolean =>
  failures > 0 || paused_until !== undefined || milliseconds > SLOW_MILLISECONDS;

/** Returns until when a receiver is paused, in milliseconds since 1970; undefined when it is not. */
export function pausedUntil({ paused_until }: Receiver, now: number): number | undefined {
  const until = paused_until === undefined ? 0 : Date.parse(paused_until);
  return until > now ? until : undefined;
}

/**
 * After a pause, claims the probe: the others wait a minute more for its result.
 * @returns whether this delivery may be tried; without a pause, always
 */
export async function claimProbe(
  table: Table,
  owner: string,
  origin: string,
  { paused_until }: Receiver,
): Promise<boolean> {
  if (paused_until === undefined) return true;
  const claimed = await updateItem(table, keys.receiver(owner, origin), {
    UpdateExpression: 'SET paused_until = :until',
    ConditionExpression: 'paused_until = :read',
    ExpressionAttributeValues: { ':until': iso(table.now() + PROBE_SECONDS * 1000), ':read': paused_until },
  });
  return claimed !== undefined;
}

/** How many deliveries to a slow receiver may be in progress: a quarter of what the slow queue handles concurrently. */
const SLOW_CONCURRENCY = 5;
const MIN_SPACING_MILLISECONDS = 100;

/**
 * Reserves the next time for a delivery that is put off, not before `from`. The times of a receiver follow its average answer, with at
 * least 100 ms in between, so however many deliveries wait, at most 600 come due per minute.
 * @returns milliseconds since 1970
 */
export async function reserveSlot(
  table: Table,
  owner: string,
  origin: string,
  { milliseconds = 0 }: Receiver,
  from: number,
): Promise<number> {
  const spacing = Math.max(MIN_SPACING_MILLISECONDS, Math.round(milliseconds / SLOW_CONCURRENCY));
  const reserve = (set: string, condition: string, values: object) =>
    updateItem<Receiver>(table, keys.receiver(owner, origin), {
      UpdateExpression: `SET ${set}, #ttl = :ttl`,
      ConditionExpression: condition,
      ExpressionAttributeNames: { '#ttl': timeToLive },
      ExpressionAttributeValues: { ...values, ':from': from, ':ttl': expiry(table) },
    });
  for (;;) {
    const written =
      (await reserve('last_slot = last_slot + :spacing', 'last_slot >= :from', { ':spacing': spacing })) ??
      (await reserve('last_slot = :from', 'attribute_not_exists(last_slot) OR last_slot < :from', {}));
    if (written) return written.last_slot!;
  }
}

/** Records that a receiver did not answer in the time that it gets outside of the slow queue. */
export async function recordTimeout(table: Table, owner: string, origin: string, milliseconds: number): Promise<void> {
  await write(table, owner, origin, { set: { milliseconds }, remove: [] });
}

/** Records a success: it ends a pause. Writes only what changes the handling of later deliveries. */
export async function recordSuccess(
  table: Table,
  owner: string,
  origin: string,
  receiver: Receiver,
  milliseconds: number,
): Promise<void> {
  const previous = receiver.milliseconds ?? 0;
  const average = Math.round(previous + WEIGHT * (milliseconds - previous));
  const hasFailed = (receiver.failures ?? 0) > 0 || receiver.paused_until !== undefined;
  if (!hasFailed && Math.abs(average - previous) < RELEVANT_MILLISECONDS) return;
  await write(table, owner, origin, {
    set: { milliseconds: average },
    remove: ['failures', 'paused_until', 'pause_seconds'],
  });
}

/** Records a failed attempt. The third in a row pauses the receiver for a minute; each failed probe doubles the pause, up to 15 minutes. */
export async function recordFailure(table: Table, owner: string, origin: string, attempted: Receiver): Promise<void> {
  const isProbe = attempted.paused_until !== undefined;
  const counted = await updateItem<Receiver>(table, keys.receiver(owner, origin), {
    UpdateExpression: 'SET #ttl = :ttl ADD failures :one',
    ExpressionAttributeNames: { '#ttl': timeToLive },
    ExpressionAttributeValues: { ':one': 1, ':ttl': expiry(table) },
  });
  const { failures = 0, paused_until, pause_seconds = 0 } = counted ?? {};
  // Attempts that began before the pause do not prolong it.
  if (!isProbe && (failures < FAILURES || paused_until !== undefined)) return;
  const pause = isProbe
    ? Math.min(MAX_PAUSE_SECONDS, Math.max(FIRST_PAUSE_SECONDS, pause_seconds * 2))
    : FIRST_PAUSE_SECONDS;
  await write(table, owner, origin, {
    set: { paused_until: iso(table.now() + pause * 1000), pause_seconds: pause },
    remove: [],
  });
}

const expiry = (table: Table): number => Math.floor(table.now() / 1000) + KEPT_DAYS * 24 * 3600;

async function write(
  table: Table,
  owner: string,
  origin: string,
  { set, remove }: { set: object; remove: string[] },
): Promise<void> {
  const { update, names, values } = updateExpression({ set: { ...set, [timeToLive]: expiry(table) }, remove });
  await updateItem(table, keys.receiver(owner, origin), {
    UpdateExpression: update,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  });
}
