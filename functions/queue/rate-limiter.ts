import { keys } from '../video/keys.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';

/** Moments for queries, one after the other. */
export interface ReservedQueries {
  /** Milliseconds since 1970, never before now. */
  first: number;
  /** Milliseconds from one to the next. */
  interval: number;
}

/**
 * Reserves the next moments at which Wan may be asked about tasks, over all models and invocations: one write, however many. Wan
 * answers 20 queries a second per account (facts, "Rate limits"), which other programs may share.
 * @param maxWait how many milliseconds from now the first moment may be at most
 * @returns undefined when all moments until then are taken: nothing is reserved
 */
export async function reserveQueries(
  table: Table,
  count: number,
  { perSecond, maxWait }: { perSecond: number; maxWait: number },
): Promise<ReservedQueries | undefined> {
  const interval = Math.ceil(1000 / perSecond);
  const first = await reserveSlot(table, keys.queryClock, interval * count, maxWait);
  return first === undefined ? undefined : { first, interval };
}

/** Nobody waits so long: a moment further away was reserved by a clock that has been set back since. */
export const MAX_BACKLOG_MILLISECONDS = 10 * 60_000;

/**
 * Reserves the next moment of a clock that many share: GCRA with a burst of one, in the attribute `tat` of one item, so that the rate
 * holds by arithmetic however many ask. DynamoDB has no maximum function, so there are two branches, tried in turn until one wins.
 * @param pk the item
 * @param interval milliseconds between two moments
 * @param patience how many milliseconds from now the moment may be at most; whoever gives up has reserved nothing. Nobody gives up who
 * has as much as `FARTHEST_MILLISECONDS`
 * @returns milliseconds since 1970, never before now; undefined when all moments until then are taken
 */
export async function reserveSlot(
  table: Table,
  pk: string,
  interval: number,
  patience: number,
): Promise<number | undefined> {
  for (;;) {
    const now = table.now();
    const behindOthers = await attempt(table, pk, 'SET tat = tat + :interval', 'tat BETWEEN :now AND :latest', {
      ':interval': interval,
      ':now': now,
      ':latest': now + patience,
    });
    if (behindOthers !== undefined) return behindOthers - interval;
    const first = await attempt(
      table,
      pk,
      'SET tat = :next',
      'attribute_not_exists(tat) OR tat < :now OR tat > :farthest',
      { ':next': now + interval, ':now': now, ':farthest': now + MAX_BACKLOG_MILLISECONDS },
    );
    if (first !== undefined) return now;
    if (patience < MAX_BACKLOG_MILLISECONDS) {
      const { tat = 0 } = (await getItem<Partial<Clock>>(table, pk)) ?? {};
      if (tat > now + patience && tat <= now + MAX_BACKLOG_MILLISECONDS) return undefined;
    }
  }
}

/** @returns the clock after the write, or undefined when the condition does not hold */
async function attempt(
  table: Table,
  pk: string,
  update: string,
  condition: string,
  values: Record<string, number>,
): Promise<number | undefined> {
  const written = await updateItem<Clock>(table, pk, {
    UpdateExpression: update,
    ConditionExpression: condition,
    ExpressionAttributeValues: values,
  });
  return written?.tat;
}

interface Clock {
  tat: number;
}
