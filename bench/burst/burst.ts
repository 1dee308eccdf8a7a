import { type Bound, checkBounds, formatNumber, startTable } from '../bounds.ts';
import { describeLatency } from '../simulation/latency.ts';
import { request } from './drops.ts';
import { runNaiveBurst } from './run-naive.ts';
import { type BurstResult, runPipelineBurst } from './run-pipeline.ts';

/** Wan's documented limits of the model. */
const WAN = { submits_per_second: 5, concurrent_tasks: 5 };

/** The extra permits that keep Wan busy with tasks of one second: each video holds its permit for two to three seconds. */
const ENOUGH_EXTRA_PERMITS = 12;
/** Five videos per second with three queries each: by the watcher, by CheckTask and by ArchiveVideo. */
const ENOUGH_QUERIES_PER_SECOND = 18;
const DEFAULT_EXTRA_PERMITS = 2;
/** The run with the defaults has fewer videos, since only its rate matters. */
const SHARE_WITH_DEFAULT = 0.15;

const idealSeconds = (videos: number, taskSeconds: number): number =>
  Math.max(videos / WAN.submits_per_second, (videos * taskSeconds) / WAN.concurrent_tasks);

/** Returns the bounds of a burst. @param single the result of a single video, for comparison */
export function boundsOf(burst: BurstResult, single: BurstResult, taskSeconds: number): Bound[] {
  const permits = WAN.concurrent_tasks + ENOUGH_EXTRA_PERMITS;
  const share = (taskSeconds * burst.first_videos.length) / permits;
  // Videos that already have a permit submit first, one after the other.
  const submitDelay = permits / WAN.submits_per_second;
  const formula = `${formatNumber(single.first_videos[0]!.noticed)} single + ${formatNumber(share)} task × owners / permits + ${formatNumber(submitDelay)} permits / submits per second`;
  return [
    { name: 'seconds to drain', value: burst.drained_seconds, max: 1.05 * idealSeconds(burst.videos, taskSeconds) },
    { name: '429s, percent of the calls to Wan', value: (100 * burst.throttled) / burst.calls, max: 1 },
    { name: 'lost videos', value: burst.lost, max: 0 },
    { name: 'duplicate tasks', value: burst.duplicate_tasks, max: 0 },
    { name: 'drops without a result file', value: burst.videos - burst.results, max: 0 },
    ...burst.first_videos.map(({ owner, noticed }) => ({
      name: `seconds to ${owner}'s first video, ${formula}`,
      value: noticed,
      max: single.first_videos[0]!.noticed + share + submitDelay,
    })),
  ];
}

/** `npm run bench -- burst`: many simultaneous drops. @returns whether every bound holds */
export async function burst({ seed = 1, videos = 1000, task_seconds = 1 } = {}): Promise<boolean> {
  console.log(
    `Burst: ${videos} simultaneous drops, tasks of ${task_seconds} s. Seed ${seed}. A simulation on a virtual clock with the functions'`,
  );
  console.log('code, the synthesized state machine and the Wan emulator with its limits on.');
  console.log(
    `Wan: ${request.model}, ${WAN.submits_per_second} submits/s, ${WAN.concurrent_tasks} concurrent tasks, 20 queries/s.`,
  );
  console.log(`Assumed: ${describeLatency()}\n`);
  const common = { seed, task_seconds };
  const enough = { ...common, extra_permits: ENOUGH_EXTRA_PERMITS, queries_per_second: ENOUGH_QUERIES_PER_SECOND };
  const print = startTable(36, ['', 'videos', 'drained s', 'ideal s', 'videos/s', 'calls/video', '   429s']);
  const row = (name: string, count: number, result: { drained_seconds: number; calls: number; throttled: number }) =>
    print([
      name,
      String(count),
      formatNumber(result.drained_seconds),
      formatNumber(idealSeconds(count, task_seconds)),
      formatNumber(count / result.drained_seconds),
      formatNumber(result.calls / count),
      `${formatNumber((100 * result.throttled) / result.calls)} %`,
    ]);

  const single = await runPipelineBurst({ ...enough, videos: 1, owners: [{ owner: 'alice', count: 1 }] });
  row('a single video', 1, single);
  const many = await runPipelineBurst({ ...enough, videos });
  row(`model queue, extraPermits ${ENOUGH_EXTRA_PERMITS}, ${ENOUGH_QUERIES_PER_SECOND} queries/s`, videos, many);
  const few = Math.ceil(videos * SHARE_WITH_DEFAULT);
  const withDefaults = await runPipelineBurst({ ...common, videos: few, extra_permits: DEFAULT_EXTRA_PERMITS });
  row(`model queue, extraPermits ${DEFAULT_EXTRA_PERMITS} (default)`, few, withDefaults);
  const naive = await runNaiveBurst({ ...common, videos });
  row('submit immediately, back off on 429', videos, naive);

  console.log('\nFirst video of each owner, seconds from the drop');
  const printFirst = startTable(36, ['owner', 'videos', 'started at Wan', 'noticed', 'without queue']);
  for (const { owner, videos, started, noticed } of many.first_videos) {
    const without = naive.first_videos.find((each) => each.owner === owner)!.noticed;
    printFirst([owner, String(videos), formatNumber(started), formatNumber(noticed), formatNumber(without)]);
  }
  console.log(`\nLost videos ${many.lost}, duplicate tasks ${many.duplicate_tasks}, result files ${many.results}.`);
  for (const error of many.unhandledErrors.slice(0, 5)) console.log(`Error: ${String(error)}`);
  return checkBounds(boundsOf(many, single, task_seconds));
}
