import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { keys } from '../video/keys.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import { listWaiting, readWait } from './wait-item.ts';

/*
 * A lease item ensures that one watcher works at a time. Two concurrent ones do no harm: a token works once.
 *
 *   rule       ──► acquire ──► renew ─ renew ─ … ─ another watcher has acquired it ──► end
 *   CreateTask ──► a watcher is alive: keep it 10 s longer
 */

/** How long a lease lasts without renewal. Longer than a tick, in which Wan may take 5 s to respond. */
const LEASE_MILLISECONDS = 15_000;

/** How long CreateTask keeps a watcher alive: the execution writes its token only after CreateTask has returned. */
export const LINGER_MILLISECONDS = 10_000;

/**
 * Acquires the lease.
 * @param ifFree acquire it only when no watcher is alive
 * @returns whether this watcher holds it
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

/** Renews the lease. @returns false when another watcher has acquired it */
export const renewLease = (table: Table, holder: string): Promise<boolean> =>
  write(table, {
    UpdateExpression: 'SET alive_until = :until',
    ConditionExpression: 'holder = :holder',
    ExpressionAttributeValues: { ':holder': holder, ':until': table.now() + LEASE_MILLISECONDS },
  });

/**
 * Releases the lease.
 * @param ifUnneeded release it only when no task was created within the last 10 s
 * @returns whether it was released
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

/** Keeps the current watcher alive for a new task. @returns false when no watcher is alive, so that the caller must start one */
export const keepWatcherAlive = (table: Table): Promise<boolean> =>
  write(table, {
    UpdateExpression: 'SET needed_until = :needed',
    ConditionExpression: 'alive_until > :now',
    ExpressionAttributeValues: { ':needed': table.now() + LINGER_MILLISECONDS, ':now': table.now() },
  });

/** How many waiting executions are read; all wait for the same watcher. */
const SAMPLE = 25;

/** Returns how long executions have waited without a watcher, in seconds; 0 while a watcher is alive or nothing waits. */
export async function unwatchedSeconds(table: Table): Promise<number> {
  const lease = await getItem<{ alive_until?: number }>(table, keys.watcher);
  const now = table.now();
  const unwatched = now - Number(lease?.alive_until ?? 0);
  if (unwatched <= 0) return 0;
  const sample = (await listWaiting(table)).slice(0, SAMPLE);
  const items = await Promise.all(sample.map(({ id }) => readWait(table, id)));
  const waited = items.map((item) => (item?.token === undefined ? 0 : now - item.wake_after));
  return Math.max(0, Math.min(unwatched, Math.max(0, ...waited))) / 1000;
}

async function write(
  table: Table,
  update: Pick<UpdateCommandInput, 'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeValues'>,
): Promise<boolean> {
  return (await updateItem(table, keys.watcher, update)) !== undefined;
}
