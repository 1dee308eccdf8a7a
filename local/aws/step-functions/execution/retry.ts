import type { Catcher, Retrier } from '../definition/state-machine.ts';

/** Failures that `States.ALL` leaves alone (Step Functions guide, "Handling errors"). */
const terminal = ['States.Runtime', 'States.DataLimitExceeded'];

/** Whether `ErrorEquals` names the error. States.Runtime ends an execution whatever names it. */
export function matches(errorEquals: readonly string[], error: string): boolean {
  if (error === 'States.Runtime') return false;
  if (errorEquals.includes(error)) return true;
  if (terminal.includes(error)) return false;
  return (
    errorEquals.includes('States.ALL') || (errorEquals.includes('States.TaskFailed') && error !== 'States.Timeout')
  );
}

/**
 * The delay before the next try and the counts after it, or undefined when there is no further try. The first retrier
 * that names the error decides, even when its attempts are used up.
 * @param counts how often each retrier was used in this state
 */
export function nextRetry(
  error: string,
  retriers: readonly Retrier[],
  counts: readonly number[],
  random: () => number,
): { delay_ms: number; counts: number[] } | undefined {
  const index = retriers.findIndex((retrier) => matches(retrier.error_equals, error));
  const retrier = retriers[index];
  const used = counts[index] ?? 0;
  if (!retrier || used >= retrier.max_attempts) return undefined;
  const grown = retrier.interval_seconds * retrier.backoff_rate ** used;
  const seconds = Math.min(grown, retrier.max_delay_seconds ?? Number.POSITIVE_INFINITY);
  return {
    delay_ms: Math.round(seconds * 1000 * (retrier.jitter === 'FULL' ? random() : 1)),
    counts: retriers.map((_, position) => (counts[position] ?? 0) + (position === index ? 1 : 0)),
  };
}

export const catcherOf = (error: string, catchers: readonly Catcher[]): Catcher | undefined =>
  catchers.find((catcher) => matches(catcher.error_equals, error));
