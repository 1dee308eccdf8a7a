import { type Figures, figuresOf } from './figures.ts';

/** Seconds from one question to the next, by how many were asked before. */
type Interval = (asked: number) => number;

/** The SDKs' own waiting: 1 s three times, 2 s three times, 4 s three times, then 5 s. */
export const sdkInterval: Interval = (asked) => [1, 1, 1, 2, 2, 2, 4, 4, 4][asked] ?? 5;

export const everyFifteenSeconds: Interval = () => 15;

/**
 * What asking by a fixed schedule comes to, with nothing in its way: an answer at once, no limit to how many ask. So many videos are
 * under way at once as there are permits, each followed by the next.
 * @param durations of the videos, in seconds, in the order of their submits
 */
export function followSchedule(interval: Interval, durations: readonly number[], permits: number): Figures {
  const free = Array.from({ length: Math.min(permits, durations.length) }, (_, index) => index * STAGGER_SECONDS);
  const lags: number[] = [];
  const questions: number[] = [];
  for (const duration of durations) {
    const slot = free.indexOf(Math.min(...free));
    const submitted = free[slot]!;
    let at = 0;
    for (let asked = 0; at < duration; asked++) {
      at += interval(asked);
      questions.push((submitted + at) * 1000);
    }
    lags.push(at - duration);
    free[slot] = submitted + at;
  }
  return figuresOf(lags, questions);
}

/** Wan takes five submits a second. */
export const STAGGER_SECONDS = 0.2;
