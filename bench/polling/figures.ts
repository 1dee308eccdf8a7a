/** How well a way of asking did. */
export interface Figures {
  /** From the end at Wan to its being noticed, in seconds. */
  median_lag: number;
  p95_lag: number;
  queries_per_video: number;
  /** Questions a second, over all videos: in the busiest second, and while there were any. */
  peak_per_second: number;
  mean_per_second: number;
}

/**
 * @param lags of each video, in seconds
 * @param questions when each came, in milliseconds
 */
export function figuresOf(lags: readonly number[], questions: readonly number[]): Figures {
  const seconds = new Map<number, number>();
  for (const at of questions) {
    const second = Math.floor(at / 1000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  const known = [...seconds.keys()];
  const span =
    known.reduce((last, at) => Math.max(last, at), 0) - known.reduce((first, at) => Math.min(first, at), Infinity) + 1;
  return {
    median_lag: quantile(lags, 0.5),
    p95_lag: quantile(lags, 0.95),
    queries_per_video: questions.length / lags.length,
    peak_per_second: Math.max(...seconds.values()),
    mean_per_second: questions.length / span,
  };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
