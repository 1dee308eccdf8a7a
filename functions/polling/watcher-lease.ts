import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { keys } from '../video/keys.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import { listWaiting, readWait } from './wait-item.ts';

/*
 * One item says which watcher is alive, so that one works at a time. Two at once do no harm: a token works once.
 *
 *   rule      ──► take ──► renew ─ renew ─ renew ─ (another one took it) ──► end
 *   CreateTask ─► need: alive? it stays 10 s longer : start one ──► take if free ──► renew … nothing waits ──► release ──► end
 */

/** A watcher that has not renewed its lease for this long is dead. Longer than a tick, in which Wan may take 5 s to answer. */
const LEASE_MILLISECONDS = 15_000;

/** How long a watcher stays after CreateTask needed it, since the execution writes its token after CreateTask has returned. */
export const LINGER_MILLISECONDS = 10_000;

/**
 * Takes the lease.
 * @param ifFree only when no watcher is alive
 * @returns whether this watcher has it now
 */
export const acquireLease = (table: Table, holder: string, ifFree: boolean): Promise<boolean> =>
  write(table, {
    UpdateExpression: 'SET holder = :holder, alive_until = :until',
    ...(ifFree ? { ConditionExpression: 'attribute_not_exists(alive_until) OR alive_until < :now' } : {}),
    ExpressionAttributeValues: {
      ':holder': holder,
      ':until': table.now() + LEASE_MILLISECONDS,
      ...(ifFree ? { ':now': table.now() } : {}),
    },
  });

/** @returns false when another watcher has taken the lease */
export const renewLease = (table: Table, holder: string): Promise<boolean> =>
  write(table, {
    UpdateExpression: 'SET alive_until = :until',
    ConditionExpression: 'holder = :holder',
    ExpressionAttributeValues: { ':holder': holder, ':until': table.now() + LEASE_MILLISECONDS },
  });

/**
 * Gives the lease up.
 * @param ifUnneeded only when no task was created within the last 10 s
 * @returns whether no watcher is alive now, as far as this one knows
 */
export const releaseLease = (table: Table, holder: string, ifUnneeded: boolean): Promise<boolean> =>
  write(table, {
    UpdateExpression: 'SET alive_until = :past',
    ConditionExpression: `holder = :holder${ifUnneeded ? ' AND (attribute_not_exists(needed_until) OR needed_until < :now)' : ''}`,
    ExpressionAttributeValues: {
      ':holder': holder,
      ':past': table.now() - 1,
      ...(ifUnneeded ? { ':now': table.now() } : {}),
    },
  });

/** Keeps a living watcher for a task that was just created. @returns false when none is alive, so that one must be started */
export const startWatcherIfNone = (table: Table): Promise<boolean> =>
  write(table, {
    UpdateExpression: 'SET needed_until = :needed',
    ConditionExpression: 'alive_until > :now',
    ExpressionAttributeValues: { ':needed': table.now() + LINGER_MILLISECONDS, ':now': table.now() },
  });

/** How many waiting executions the sweep looks at: they wait for the same watcher. */
const SAMPLE = 25;

/** For how long executions have waited without a living watcher, in seconds; 0 while one lives, or nothing waits. */
export async function unwatchedSeconds(table: Table): Promise<number> {
  const lease = await getItem<{ alive_until?: number }>(table, keys.watcher);
  const now = table.now();
  const absent = now - Number(lease?.alive_until ?? 0);
  if (absent <= 0) return 0;
  const sample = (await listWaiting(table)).slice(0, SAMPLE);
  const items = await Promise.all(sample.map(({ id }) => readWait(table, id)));
  const waited = items.map((item) => (item?.token === undefined ? 0 : now - item.wake_after));
  return Math.max(0, Math.min(absent, Math.max(0, ...waited))) / 1000;
}

async function write(
  table: Table,
  update: Pick<UpdateCommandInput, 'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeValues'>,
): Promise<boolean> {
  return (await updateItem(table, keys.watcher, update)) !== undefined;
}
