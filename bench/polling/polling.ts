import { type Bound, checkBounds, formatNumber, startTable } from '../bounds.ts';
import { describeLatency } from '../simulation/latency.ts';
import { seededRandom } from '../simulation/random.ts';
import { type DurationDistribution, durationDistributions } from './durations.ts';
import { everyFifteenSeconds, followSchedule, sdkInterval } from './fixed-schedules.ts';
import { type FollowTasksResult, followTasks } from './follow-tasks.ts';
import type { PollingMetrics } from './polling-metrics.ts';

/**
 * The number of videos by permits. It grows less than the permits, since each second of the clock takes work for all running
 * tasks.
 */
export const cases = [
  { permits: 1, videos: 60 },
  { permits: 7, videos: 100 },
  { permits: 30, videos: 150 },
  { permits: 100, videos: 200 },
  // A thousand concurrent tasks need a rate above the default.
  { permits: 1000, videos: 1500, queriesPerSecond: 12, median: 2.5, p95: 4.5 },
].map((each): Case => ({ queriesPerSecond: 10, median: 1.5, p95: 3, ...each }));

export interface Case {
  permits: number;
  videos: number;
  /** The setting `wanQueriesPerSecond`, which is also the upper bound of the measured rate. */
  queriesPerSecond: number;
  /** The upper bounds of the lag, in seconds. */
  median: number;
  p95: number;
}

export interface Comparison extends Case {
  distribution: string;
  ours: FollowTasksResult;
  sdk: PollingMetrics;
  fixed: PollingMetrics;
}

export async function compare(
  distribution: DurationDistribution,
  { seed, ...given }: Case & { seed: number },
): Promise<Comparison> {
  const { permits, videos, queriesPerSecond } = given;
  const random = seededRandom(seed);
  const durations = Array.from({ length: videos }, () => distribution.draw(random));
  return {
    ...given,
    distribution: distribution.name,
    ours: await followTasks({ seed, durations, permits, queriesPerSecond }),
    sdk: followSchedule(sdkInterval, durations, permits),
    fixed: followSchedule(everyFifteenSeconds, durations, permits),
  };
}

/** Returns the bounds of a comparison. */
export function boundsOf({ distribution, permits, queriesPerSecond, median, p95, ours }: Comparison): Bound[] {
  const label = (text: string) => `${distribution}, ${permits} permits: ${text}`;
  return [
    { name: label('median lag in seconds'), value: ours.median_lag, max: median },
    { name: label('95th percentile of the lag in seconds'), value: ours.p95_lag, max: p95 },
    { name: label('queries per second'), value: ours.mean_per_second, max: queriesPerSecond },
    // Queries are sent evenly but arrive with network jitter, so one second may have two more than the rate.
    { name: label('queries in the busiest second'), value: ours.peak_per_second, max: queriesPerSecond + 2 },
    { name: label('state transitions per video, median'), value: ours.median_transitions, max: 8 },
  ];
}

/**
 * `npm run bench -- polling`: how soon the end of a task is noticed, and with how many queries.
 * @returns whether every bound holds
 */
export async function polling({ seed = 1 } = {}): Promise<boolean> {
  console.log(
    `Polling: from SUCCEEDED at Wan until noticed. Seed ${seed}. A simulation on a virtual clock with the deployed state machine, watcher and CheckTask.`,
  );
  console.log('The fixed schedules get immediate responses and no rate limit.');
  console.log(`Assumed: ${describeLatency()}\n`);
  const print = startTable(52, ['', 'median lag s', ' p95 s', 'queries/video', 'peak/s', 'mean/s']);
  const bounds: Bound[] = [];
  for (const distribution of Object.values(durationDistributions)) {
    for (const each of cases) {
      const comparison = await compare(distribution, { seed, ...each });
      const { ours, sdk, fixed } = comparison;
      bounds.push(...boundsOf(comparison));
      const row = (name: string, metrics: PollingMetrics) =>
        print([
          `${distribution.name}, ${each.permits} permits: ${name}`,
          formatNumber(metrics.median_lag),
          formatNumber(metrics.p95_lag),
          formatNumber(metrics.queries_per_video),
          formatNumber(metrics.peak_per_second),
          formatNumber(metrics.mean_per_second),
        ]);
      row('firstframe', ours);
      row('SDKs, 1 → 5 s', sdk);
      row('every 15 s', fixed);
    }
  }
  return checkBounds(bounds);
}
