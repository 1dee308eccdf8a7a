import { describeLatency } from '../simulation/latency.ts';
import { type Bound, judge, short, startTable } from '../verdict.ts';
import { request } from './drops.ts';
import { burstWithoutQueues } from './run-naive.ts';
import { type BurstResult, burstThroughPipeline } from './run-pipeline.ts';

/** The reference's limits of the model (facts, "Rate limits"). */
const WAN = { submits_per_second: 5, concurrent_tasks: 5 };

/** Permits above Wan's concurrency with which tasks of a second keep Wan busy: each video holds its permit for two to three seconds. */
const ENOUGH_EXTRA_PERMITS = 12;
/** Five videos a second take three queries each: the watcher's, the check's and the archiving one's. */
const ENOUGH_QUERIES_PER_SECOND = 18;
const DEFAULT_EXTRA_PERMITS = 2;
/** With the default it is shown on fewer videos: its rate is what counts. */
const SHARE_WITH_DEFAULT = 0.15;

const ideal = (videos: number, taskSeconds: number): number =>
  Math.max(videos / WAN.submits_per_second, (videos * taskSeconds) / WAN.concurrent_tasks);

/** What must hold of a burst, beside a video that comes alone. */
export function boundsOf(burst: BurstResult, alone: BurstResult, taskSeconds: number): Bound[] {
  const permits = WAN.concurrent_tasks + ENOUGH_EXTRA_PERMITS;
  const share = (taskSeconds * burst.firsts.length) / permits;
  // Whoever holds a permit already submits first, one after the other.
  const turn = permits / WAN.submits_per_second;
  const alike = `${short(alone.firsts[0]!.noticed)} alone + ${short(share)} task × owners / permits + ${short(turn)} permits / submits per second`;
  return [
    { what: 'seconds to drain', figure: burst.drained_seconds, most: 1.05 * ideal(burst.videos, taskSeconds) },
    { what: '429s, per cent of the calls to Wan', figure: (100 * burst.throttled) / burst.calls, most: 1 },
    { what: 'videos lost', figure: burst.lost, most: 0 },
    { what: 'tasks made twice', figure: burst.twice, most: 0 },
    { what: 'drops without a result file', figure: burst.videos - burst.results, most: 0 },
    ...burst.firsts.map(({ owner, noticed }) => ({
      what: `seconds to ${owner}'s first video, ${alike}`,
      figure: noticed,
      most: alone.firsts[0]!.noticed + share + turn,
    })),
  ];
}

/** Many drops at once. @returns whether every bound holds */
export async function burst({ seed = 1, videos = 1000, task_seconds = 1 } = {}): Promise<boolean> {
  console.log(
    `Burst: ${videos} drops at once, tasks of ${task_seconds} s. Seed ${seed}. A simulation: the functions' own code, the`,
  );
  console.log('synthesised state machine and the Wan emulator with its limits on, by a virtual clock.');
  console.log(
    `Wan: ${request.model}, ${WAN.submits_per_second} submits/s, ${WAN.concurrent_tasks} at once, 20 questions/s.`,
  );
  console.log(`Assumed: ${describeLatency()}\n`);
  const common = { seed, task_seconds };
  const enough = { ...common, extra_permits: ENOUGH_EXTRA_PERMITS, queries_per_second: ENOUGH_QUERIES_PER_SECOND };
  const print = startTable(36, ['', 'videos', 'drained s', 'ideal s', 'videos/s', 'calls/video', '   429s']);
  const row = (name: string, count: number, result: { drained_seconds: number; calls: number; throttled: number }) =>
    print([
      name,
      String(count),
      short(result.drained_seconds),
      short(ideal(count, task_seconds)),
      short(count / result.drained_seconds),
      short(result.calls / count),
      `${short((100 * result.throttled) / result.calls)} %`,
    ]);

  const alone = await burstThroughPipeline({ ...enough, videos: 1, owners: [{ owner: 'alone', count: 1 }] });
  row('a video alone', 1, alone);
  const many = await burstThroughPipeline({ ...enough, videos });
  row(`lanes, extraPermits ${ENOUGH_EXTRA_PERMITS}, ${ENOUGH_QUERIES_PER_SECOND} queries/s`, videos, many);
  const few = Math.ceil(videos * SHARE_WITH_DEFAULT);
  const usual = await burstThroughPipeline({ ...common, videos: few, extra_permits: DEFAULT_EXTRA_PERMITS });
  row(`lanes, extraPermits ${DEFAULT_EXTRA_PERMITS} (default)`, few, usual);
  const naive = await burstWithoutQueues({ ...common, videos });
  row('all submit at once, back off on 429', videos, naive);

  console.log('\nFirst video of each owner, seconds from the drop');
  const printFirst = startTable(36, ['owner', 'videos', 'began at Wan', 'noticed', 'without lanes']);
  for (const { owner, videos, started, noticed } of many.firsts) {
    const without = naive.firsts.find((each) => each.owner === owner)!.noticed;
    printFirst([owner, String(videos), short(started), short(noticed), short(without)]);
  }
  console.log(`\nLost ${many.lost}, made twice ${many.twice}, result files ${many.results}.`);
  for (const error of many.trouble.slice(0, 5)) console.log(`Trouble: ${String(error)}`);
  return judge(boundsOf(many, alone, task_seconds));
}
