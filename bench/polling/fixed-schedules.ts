import { type PollingMetrics, pollingMetrics } from './polling-metrics.ts';

/** Seconds to the next query, by the number of earlier queries. */
type Interval = (sent: number) => number;

/** The schedule of the DashScope SDKs: 1 s three times, 2 s three times, 4 s three times, then 5 s. */
export const sdkInterval: Interval = (sent) => [1, 1, 1, 2, 2, 2, 4, 4, 4][sent] ?? 5;

export const everyFifteenSeconds: Interval = () => 15;

/**
 * Simulates polling by a fixed schedule under ideal conditions: immediate responses and no rate limit. As many videos run
 * concurrently as there are permits; when one ends, the next starts.
 * @param durations the durations of the videos in seconds, in the order of submission
 */
export function followSchedule(interval: Interval, durations: readonly number[], permits: number): PollingMetrics {
  const free = Array.from({ length: Math.min(permits, durations.length) }, (_, index) => index * STAGGER_SECONDS);
  const lags: number[] = [];
  const queries: number[] = [];
  for (const duration of durations) {
    const slot = free.indexOf(Math.min(...free));
    const submitted = free[slot]!;
    let at = 0;
    for (let sent = 0; at < duration; sent++) {
      at += interval(sent);
      queries.push((submitted + at) * 1000);
    }
    lags.push(at - duration);
    free[slot] = submitted + at;
  }
  return pollingMetrics(lags, queries);
}

/** Wan accepts five submissions per second. */
export const STAGGER_SECONDS = 0.2;
