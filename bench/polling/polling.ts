import { describeLatency } from '../simulation/latency.ts';
import { seededRandom } from '../simulation/random.ts';
import { type Bound, judge, short, startTable } from '../verdict.ts';
import { type Spread, spreads } from './durations.ts';
import type { Figures } from './figures.ts';
import { everyFifteenSeconds, followSchedule, sdkInterval } from './fixed-schedules.ts';
import { followTasks } from './follow-tasks.ts';

/** How many videos show it, by permits: with many permits each second of the clock is work for all of them. */
const cases = [
  { permits: 1, videos: 100 },
  { permits: 7, videos: 100 },
  { permits: 30, videos: 150 },
  { permits: 100, videos: 200 },
  { permits: 1000, videos: 1000 },
];

export interface Comparison {
  spread: string;
  permits: number;
  videos: number;
  ours: Figures;
  sdk: Figures;
  fixed: Figures;
}

export async function compare(
  spread: Spread,
  { seed, permits, videos }: { seed: number; permits: number; videos: number },
): Promise<Comparison> {
  const random = seededRandom(seed);
  const durations = Array.from({ length: videos }, () => spread.draw(random));
  return {
    spread: spread.name,
    permits,
    videos,
    ours: await followTasks({ seed, durations, permits }),
    sdk: followSchedule(sdkInterval, durations, permits),
    fixed: followSchedule(everyFifteenSeconds, durations, permits),
  };
}

/** What must hold of how tasks are followed. */
export const boundsOf = ({ spread, permits, ours, sdk }: Comparison): Bound[] => [
  { what: `${spread}, ${permits} permits: median lag in seconds`, figure: ours.median_lag, most: 3 },
  {
    what: `${spread}, ${permits} permits: queries per video`,
    figure: ours.queries_per_video,
    most: sdk.queries_per_video / 2,
  },
  // One more than the rate: questions leave evenly, and arrive with the network's jitter.
  { what: `${spread}, ${permits} permits: queries in the busiest second`, figure: ours.peak_per_second, most: 16 },
  { what: `${spread}, ${permits} permits: queries a second`, figure: ours.mean_per_second, most: 15 },
];

/** How soon an ending is noticed, and at what price. @returns whether every bound holds */
export async function polling({ seed = 1 } = {}): Promise<boolean> {
  console.log(
    `Polling: from SUCCEEDED at Wan to noticed. Seed ${seed}. A simulation: checkTask's own code by a virtual clock.`,
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
