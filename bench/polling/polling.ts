import { describeLatency } from '../simulation/latency.ts';
import { seededRandom } from '../simulation/random.ts';
import { type Bound, judge, short, startTable } from '../verdict.ts';
import { type Spread, spreads } from './durations.ts';
import type { Figures } from './figures.ts';
import { everyFifteenSeconds, followSchedule, sdkInterval } from './fixed-schedules.ts';
import { type Followed, followTasks } from './follow-tasks.ts';

/** How many videos show it, by permits: with many permits each second of the clock is work for all of them. */
export const cases = [
  { permits: 1, videos: 60 },
  { permits: 7, videos: 100 },
  { permits: 30, videos: 150 },
  { permits: 100, videos: 200 },
  // A thousand tasks at once take a rate above the default.
  { permits: 1000, videos: 1500, queriesPerSecond: 12, median: 2.5, p95: 4.5 },
].map((each): Case => ({ queriesPerSecond: 10, median: 1.5, p95: 3, ...each }));

export interface Case {
  permits: number;
  videos: number;
  /** The setting `wanQueriesPerSecond`, and the most that is asked. */
  queriesPerSecond: number;
  /** The most that the lag may be, in seconds. */
  median: number;
  p95: number;
}

export interface Comparison extends Case {
  spread: string;
  ours: Followed;
  sdk: Figures;
  fixed: Figures;
}

export async function compare(spread: Spread, { seed, ...given }: Case & { seed: number }): Promise<Comparison> {
  const { permits, videos, queriesPerSecond } = given;
  const random = seededRandom(seed);
  const durations = Array.from({ length: videos }, () => spread.draw(random));
  return {
    ...given,
    spread: spread.name,
    ours: await followTasks({ seed, durations, permits, queriesPerSecond }),
    sdk: followSchedule(sdkInterval, durations, permits),
    fixed: followSchedule(everyFifteenSeconds, durations, permits),
  };
}

/** What must hold of how tasks are followed. */
export function boundsOf({ spread, permits, queriesPerSecond, median, p95, ours }: Comparison): Bound[] {
  const of = (what: string) => `${spread}, ${permits} permits: ${what}`;
  return [
    { what: of('median lag in seconds'), figure: ours.median_lag, most: median },
    { what: of('95th percentile of the lag in seconds'), figure: ours.p95_lag, most: p95 },
    { what: of('queries a second'), figure: ours.mean_per_second, most: queriesPerSecond },
    // Queries leave evenly, and arrive with the network's jitter: two more than the rate.
    { what: of('queries in the busiest second'), figure: ours.peak_per_second, most: queriesPerSecond + 2 },
    { what: of('state transitions of a video, median'), figure: ours.median_transitions, most: 8 },
  ];
}

/** How soon an ending is noticed, and at what price. @returns whether every bound holds */
export async function polling({ seed = 1 } = {}): Promise<boolean> {
  console.log(
    `Polling: from SUCCEEDED at Wan to noticed. Seed ${seed}. A simulation: the deployed state machine, watcher and checks by a virtual clock.`,
  );
  console.log('The fixed schedules are given answers at once and no limit to how often they ask.');
  console.log(`Assumed: ${describeLatency()}\n`);
  const print = startTable(52, ['', 'median lag s', ' p95 s', 'queries/video', 'peak/s', 'mean/s']);
  const bounds: Bound[] = [];
  for (const spread of Object.values(spreads)) {
    for (const each of cases) {
      const comparison = await compare(spread, { seed, ...each });
      const { ours, sdk, fixed } = comparison;
      bounds.push(...boundsOf(comparison));
      const row = (name: string, figures: Figures) =>
        print([
          `${spread.name}, ${each.permits} permits: ${name}`,
          short(figures.median_lag),
          short(figures.p95_lag),
          short(figures.queries_per_video),
          short(figures.peak_per_second),
          short(figures.mean_per_second),
        ]);
      row('firstframe', ours);
      row('SDKs, 1 → 5 s', sdk);
      row('every 15 s', fixed);
    }
  }
  return judge(bounds);
}
