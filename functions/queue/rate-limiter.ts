import { keys } from '../video/keys.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';

/** Consecutive slots for queries. */
export interface ReservedQueries {
  /** The first slot: milliseconds since 1970, never before now. */
  first: number;
  /** Milliseconds between two slots. */
  interval: number;
}

/**
 * Reserves the next slots for queries to Wan, across all models and invocations, in one write. Wan allows 20 queries per second and
 * account (facts, "Rate limits"), which other programs may share.
 * @param maxWait the maximum delay of the first slot in milliseconds
 * @returns undefined when there is no slot within that delay; nothing is reserved then
 */
export async function reserveQueries(
  table: Table,
  count: number,
  { perSecond, maxWait }: { perSecond: number; maxWait: number },
): Promise<ReservedQueries | undefined> {
  const interval = Math.ceil(1000 / perSecond);
  const slot = await reserveSlot(table, keys.queryRate, interval * count, maxWait);
  return slot === undefined ? undefined : { first: slot, interval };
}

/** A backlog longer than this comes from a clock that has been set back since, and is discarded. */
export const MAX_BACKLOG_MILLISECONDS = 10 * 60_000;

/**
 * Reserves the next slot of a shared rate limiter: GCRA with a burst of one. The item's `theoretical_arrival` is the earliest free
 * slot. DynamoDB has no maximum function, so two conditional writes (behind the others, or now) alternate until one succeeds.
 * @param pk the item
 * @param interval milliseconds between two slots
 * @param maxWait the maximum delay of the slot in milliseconds. With at least `MAX_BACKLOG_MILLISECONDS` there is always a slot
 * @returns milliseconds since 1970, never before now; undefined when there is no slot within that delay
 */
export async function reserveSlot(
  table: Table,
  pk: string,
  interval: number,
  maxWait: number,
): Promise<number | undefined> {
  for (;;) {
    const now = table.now();
    const nextFree = await advance(
      table,
      pk,
      'SET theoretical_arrival = theoretical_arrival + :interval',
      'theoretical_arrival BETWEEN :now AND :latest',
      {
        ':interval': interval,
        ':now': now,
        ':latest': now + maxWait,
      },
    );
    if (nextFree !== undefined) return nextFree - interval;
    const restarted = await advance(
      table,
      pk,
      'SET theoretical_arrival = :next',
      'attribute_not_exists(theoretical_arrival) OR theoretical_arrival < :now OR theoretical_arrival > :max_backlog',
      { ':next': now + interval, ':now': now, ':max_backlog': now + MAX_BACKLOG_MILLISECONDS },
    );
    if (restarted !== undefined) return now;
    if (maxWait < MAX_BACKLOG_MILLISECONDS) {
      const { theoretical_arrival = 0 } = (await getItem<Partial<LimiterItem>>(table, pk)) ?? {};
      if (theoretical_arrival > now + maxWait && theoretical_arrival <= now + MAX_BACKLOG_MILLISECONDS)
        return undefined;
    }
  }
}

/** Moves the earliest free slot. @returns its new time, or undefined when the condition does not hold */
async function advance(
  table: Table,
  pk: string,
  update: string,
  condition: string,
  values: Record<string, number>,
): Promise<number | undefined> {
  const written = await updateItem<LimiterItem>(table, pk, {
    UpdateExpression: update,
    ConditionExpression: condition,
    ExpressionAttributeValues: values,
  });
  return written?.theoretical_arrival;
}

interface LimiterItem {
  theoretical_arrival: number;
}
