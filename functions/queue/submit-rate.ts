import { keys } from '../video/keys.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import type { ModelLimits } from './model-queue.ts';
import { MAX_BACKLOG_MILLISECONDS, reserveSlot } from './rate-limiter.ts';

/**
 * How submissions adapt when Wan's limit is below the configured one: other programs share the account, or Wan reduces the limits of a
 * model before its retirement. A 429 slows the model's submissions down by `step`, at most `max` times; without further 429s half of the
 * slowdown is gone after `half_life_ms`. The 429s of calls that were under way at a step do not count again for `quiet_ms`.
 */
const ADAPTATION = { step: 1.5, max: 32, half_life_ms: 10 * 60_000, quiet_ms: 3000 };

/** The part of a model queue's item that its submit rate needs. */
interface SlowedQueue {
  /** The factor by which submissions were slower at `slowed_at`: at least 1. */
  slowdown?: number;
  /** Milliseconds since 1970. */
  slowed_at?: number;
}

/** Returns the factor by which a model's submissions are slower than configured: at least 1. @param now milliseconds since 1970 */
export function slowdownAt({ slowdown = 1, slowed_at = 0 }: SlowedQueue, now: number): number {
  const elapsed = Math.max(0, now - slowed_at);
  const factor = 1 + (slowdown - 1) * 0.5 ** (elapsed / ADAPTATION.half_life_ms);
  return factor < 1.01 ? 1 : factor;
}

/** Returns the current slowdown of a model's submissions: at least 1. */
export const readSlowdown = async (table: Table, model: string): Promise<number> =>
  slowdownAt((await getItem<SlowedQueue>(table, keys.modelQueue(model))) ?? {}, table.now());

/**
 * Reserves the next slot for a submission to this model, at the configured rate divided by the slowdown.
 * @returns milliseconds since 1970, never before now
 */
export async function reserveSubmitSlot(table: Table, { model, submit_interval_ms }: ModelLimits): Promise<number> {
  const interval = Math.ceil(submit_interval_ms * (await readSlowdown(table, model)));
  const slot = await reserveSlot(table, keys.modelQueue(model), interval, MAX_BACKLOG_MILLISECONDS);
  return slot!;
}

/**
 * Slows a model's submissions down after Wan has refused one with 429.
 * @returns the new slowdown, or undefined when a step a moment ago covers this refusal
 */
export async function slowDown(table: Table, model: string): Promise<number | undefined> {
  const now = table.now();
  const slowdown = Math.min(ADAPTATION.max, (await readSlowdown(table, model)) * ADAPTATION.step);
  const written = await updateItem(table, keys.modelQueue(model), {
    UpdateExpression: 'SET slowdown = :slowdown, slowed_at = :now',
    // A time in the future comes from a clock that was ahead.
    ConditionExpression: 'attribute_not_exists(slowed_at) OR NOT slowed_at BETWEEN :quiet AND :now',
    ExpressionAttributeValues: { ':slowdown': slowdown, ':now': now, ':quiet': now - ADAPTATION.quiet_ms },
  });
  return written && slowdown;
}
