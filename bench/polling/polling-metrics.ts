/** Results of a polling strategy. */
export interface PollingMetrics {
  /** Seconds from the end of a task at Wan until it is noticed. */
  median_lag: number;
  p95_lag: number;
  queries_per_video: number;
  /** Queries per second over all videos: in the busiest second, and on average between the first and the last. */
  peak_per_second: number;
  mean_per_second: number;
}

/**
 * Summarizes a run.
 * @param lags the lag of each video, in seconds
 * @param queries the time of each query, in milliseconds
 */
export function pollingMetrics(lags: readonly number[], queries: readonly number[]): PollingMetrics {
  const seconds = new Map<number, number>();
  for (const at of queries) {
    const second = Math.floor(at / 1000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  const known = [...seconds.keys()];
  const span =
    known.reduce((last, at) => Math.max(last, at), 0) - known.reduce((first, at) => Math.min(first, at), Infinity) + 1;
  return {
    median_lag: quantile(lags, 0.5),
    p95_lag: quantile(lags, 0.95),
    queries_per_video: queries.length / lags.length,
    peak_per_second: Math.max(...seconds.values()),
    mean_per_second: queries.length / span,
  };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
