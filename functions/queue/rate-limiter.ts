import type { RequestRate } from '../shared/environment.ts';
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
 * Reserves the next slot of a shared rate limiter: GCRA with a burst of one.
 * @param pk the item
 * @param interval milliseconds between two slots
 * @param maxWait the maximum delay of the slot in milliseconds. With at least `MAX_BACKLOG_MILLISECONDS` there is always a slot
 * @returns milliseconds since 1970, never before now; undefined when there is no slot within that delay
 */
export const reserveSlot = async (
  table: Table,
  pk: string,
  interval: number,
  maxWait: number,
): Promise<number | undefined> => (await reserve(table, pk, interval, maxWait)).slot;

/**
 * The item's `theoretical_arrival` is the earliest free slot. DynamoDB has no maximum function, so two conditional writes (behind the
 * others, or now) alternate until one succeeds.
 * @param known the latest known `theoretical_arrival`, which decides the write that is tried first. @default the one behind the others
 * @returns the slot if there is one, and the item's `theoretical_arrival`
 */
async function reserve(
  table: Table,
  pk: string,
  interval: number,
  maxWait: number,
  known = Number.POSITIVE_INFINITY,
): Promise<LimiterItem & { slot?: number }> {
  for (let isBehind = known >= table.now(); ; isBehind = true) {
    const now = table.now();
    const behindOthers = async () => {
      const next = await advance(
        table,
        pk,
        'SET theoretical_arrival = theoretical_arrival + :interval',
        'theoretical_arrival BETWEEN :now AND :latest',
        { ':interval': interval, ':now': now, ':latest': now + maxWait },
      );
      return next === undefined ? undefined : { theoretical_arrival: next, slot: next - interval };
    };
    const immediately = async () => {
      const next = await advance(
        table,
        pk,
        'SET theoretical_arrival = :next',
        'attribute_not_exists(theoretical_arrival) OR theoretical_arrival < :now OR theoretical_arrival > :max_backlog',
        { ':next': now + interval, ':now': now, ':max_backlog': now + MAX_BACKLOG_MILLISECONDS },
      );
      return next === undefined ? undefined : { theoretical_arrival: next, slot: now };
    };
    const [first, second] = isBehind ? [behindOthers, immediately] : [immediately, behindOthers];
    const reserved = (await first()) ?? (await second());
    if (reserved) return reserved;
    if (maxWait < MAX_BACKLOG_MILLISECONDS) {
      const { theoretical_arrival = 0 } = (await getItem<Partial<LimiterItem>>(table, pk)) ?? {};
      if (isFull(theoretical_arrival, now, maxWait)) return { theoretical_arrival };
    }
  }
}

/** Whether the earliest free slot is later than `maxWait` from now. */
const isFull = (theoretical_arrival: number, now: number, maxWait: number): boolean =>
  theoretical_arrival > now + maxWait && theoretical_arrival <= now + MAX_BACKLOG_MILLISECONDS;

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

/** Counts a request of an owner. @returns undefined within the owner's rate, above it the seconds until the next one is accepted */
export type AdmitRequest = (owner: string) => Promise<number | undefined>;

/** How long a container refuses an owner's requests after DynamoDB throttled the owner's item. */
const THROTTLED_MILLISECONDS = 1000;
/** A container forgets owners when it knows more of them. */
const MAX_KNOWN_OWNERS = 10_000;

/**
 * Creates the rate limiter of requests: GCRA with an item per owner, so a flood of one owner reaches no other owner's item. A request
 * within the rate takes one write. The earliest free slot of an owner only moves forward, so a container that knows it refuses exactly,
 * without a call, until then: a flood causes at most one attempt per container and slot.
 *
 * - DynamoDB throttles an item above 1,000 writes per second. That is a flood of this owner: the request is refused.
 * - On any other failure of DynamoDB the request is accepted. The limit protects other owners' latency, for which one failed write is
 *   no danger; money and Wan's limits have their own guards, which fail closed.
 * @param onError called with a failure after which the request was accepted
 */
export function createRequestLimiter(
  table: Table,
  { per_second, burst }: RequestRate,
  onError: (error: unknown) => void,
): AdmitRequest {
  // Whole milliseconds: DynamoDB calculates with decimal numbers, and a rounding difference would repeat `reserve` endlessly.
  const interval = Math.ceil(1000 / per_second);
  const maxWait = (burst - 1) * interval;
  const known = new Map<string, number>();

  async function attempt(owner: string): Promise<boolean> {
    const { slot, theoretical_arrival } = await reserve(
      table,
      keys.requestRate(owner),
      interval,
      maxWait,
      known.get(owner) ?? 0,
    );
    known.set(owner, theoretical_arrival);
    return slot !== undefined;
  }

  return async (owner) => {
    if (known.size > MAX_KNOWN_OWNERS) known.clear();
    if (!isFull(known.get(owner) ?? 0, table.now(), maxWait)) {
      try {
        if (await attempt(owner)) return undefined;
      } catch (error) {
        if (!isThrottled(error)) {
          onError(error);
          return undefined;
        }
        known.set(owner, table.now() + maxWait + THROTTLED_MILLISECONDS);
      }
    }
    return (known.get(owner)! - maxWait - table.now()) / 1000;
  };
}

const throttlingErrors = ['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded'];
const isThrottled = (error: unknown): boolean => error instanceof Error && throttlingErrors.includes(error.name);
