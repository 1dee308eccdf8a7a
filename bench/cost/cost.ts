import { prices } from '../../infra/operations/cost.ts';
import { checkBounds, startTable } from '../bounds.ts';
import { dropAll, request } from '../burst/drops.ts';
import { HISTORY_EVENT_BYTES, LOG_LINE_BYTES, OWN_WORK_SECONDS } from '../simulation/billed-units.ts';
import { describeLatency } from '../simulation/latency.ts';
import { type Pipeline, startPipeline } from '../simulation/pipeline.ts';

type Unit = keyof typeof prices;
type Counts = Partial<Record<Unit, number>>;

/** How long Wan takes for a video. */
const TASK_SECONDS = 120;
/** One submission, and eight requests of a client that long-polls. */
const API_REQUESTS = 9;
/** Copying and verifying an MP4 of 5 MB. */
const COPY_SECONDS = 2;
const MINUTES_A_MONTH = 30 * 24 * 60;

/** The billed units of a video that are not simulated. */
const assumed: Counts = {
  apiRequest: API_REQUESTS,
  // Each request takes an authorizer (50 ms with 256 MB), a function (100 ms with 512 MB), two reads, a write for its owner's rate and
  // three log lines; a long poll also a read and two writes for its slot.
  lambdaRequest: 2 * API_REQUESTS,
  lambdaGigabyteSecond: API_REQUESTS * (0.05 * 0.25 + 0.1 * 0.5) + COPY_SECONDS * 0.5,
  readUnit: 3 * API_REQUESTS - 1,
  writeUnit: 3 * API_REQUESTS - 2,
  logGigabyte: (3 * API_REQUESTS * LOG_LINE_BYTES) / 1e9,
  // The upload of the image, and Wan's download of it.
  objectPut: 1,
  objectGet: 1,
};

/** Counts the billed units while `run` uses a new pipeline. */
async function countWhile(seed: number, run: (pipeline: Pipeline) => Promise<void>): Promise<Counts> {
  const counts: Counts = {};
  const pipeline = await startPipeline({
    seed,
    task_seconds: TASK_SECONDS,
    context: {
      drop: { owners: 'folders', model: request.model, parameters: request.parameters },
      typicalSeconds: TASK_SECONDS,
    },
    count(unit, amount) {
      counts[unit] = (counts[unit] ?? 0) + amount;
    },
  });
  try {
    await run(pipeline);
    if (pipeline.unhandledErrors.length > 0) throw pipeline.unhandledErrors[0];
    return counts;
  } finally {
    await pipeline.close();
  }
}

const advance = ({ clock }: Pipeline, milliseconds: number): Promise<void> => {
  const until = clock.now() + milliseconds;
  return clock.run(() => clock.now() >= until, Number.POSITIVE_INFINITY);
};

/** Counts the units per video of simultaneous drops, without the units of an idle pipeline over the same time. */
async function countVideos(seed: number, videos: number): Promise<Counts> {
  let milliseconds = 0;
  const busy = await countWhile(seed, async (pipeline) => {
    const { clock, metricCounts } = pipeline;
    const began = clock.now();
    await dropAll(pipeline, [{ owner: 'alice', count: videos }]);
    await clock.run(() => (metricCounts.get('Succeeded') ?? 0) >= videos, began + 3600_000);
    // Time for the watcher to end and for the results to be written.
    await advance(pipeline, 60_000);
    milliseconds = clock.now() - began;
  });
  const idle = await countWhile(seed, (pipeline) => advance(pipeline, milliseconds));
  return combine((unit) => ((busy[unit] ?? 0) - (idle[unit] ?? 0)) / videos + (assumed[unit] ?? 0));
}

/** Counts the units of the watchers in a month without videos. One starts each minute, so its container stays warm. */
async function countIdleWatcher(seed: number): Promise<Counts> {
  const invocations = (count: number) =>
    countWhile(seed, async ({ clock, invoke }) => {
      let ended = 0;
      void (async () => {
        for (; ended < count; ended++) await invoke('watch');
      })();
      await clock.run(() => ended === count, Number.POSITIVE_INFINITY);
    });
  const [cold, both] = [await invocations(1), await invocations(2)];
  return combine((unit) => ((both[unit] ?? 0) - (cold[unit] ?? 0)) * MINUTES_A_MONTH);
}

const units = Object.keys(prices) as Unit[];
const combine = (count: (unit: Unit) => number): Counts => Object.fromEntries(units.map((unit) => [unit, count(unit)]));
const costOf = (counts: Counts): number => units.reduce((sum, unit) => sum + (counts[unit] ?? 0) * prices[unit], 0);

/** `npm run bench -- cost`: the AWS cost of a video by billed units. @returns whether every bound holds */
export async function cost({ seed = 1 } = {}): Promise<boolean> {
  console.log(
    `Cost: drops whose tasks take ${TASK_SECONDS} s, plus the API requests of a submission. Seed ${seed}. A simulation on a virtual clock`,
  );
  console.log('with the deployed functions, state machine and table. The prices are those of docs/cost.md.');
  console.log(`Assumed: ${describeLatency()}`);
  console.log(
    `  ${OWN_WORK_SECONDS} s of CPU time per invocation, ${COPY_SECONDS} s to copy an MP4, ${API_REQUESTS} API requests with 2 invocations and 2 reads`,
  );
  console.log(
    `  each, ${LOG_LINE_BYTES} bytes per log line and per invocation, ${HISTORY_EVENT_BYTES} bytes per event of an execution.\n`,
  );
  const cases = [
    { name: 'a single video', counts: await countVideos(seed, 1), max: 0.0008 },
    { name: 'one of five simultaneous videos', counts: await countVideos(seed, 5), max: 0.0006 },
    { name: 'the watcher in an idle month', counts: await countIdleWatcher(seed), max: 0.05 },
  ];
  for (const { name, counts } of cases) {
    const print = startTable(36, [name, '       count', '           $']);
    for (const unit of units)
      if (counts[unit]) print([unit, counts[unit].toPrecision(4), (counts[unit] * prices[unit]).toFixed(7)]);
    print(['total', '', costOf(counts).toFixed(7)]);
    console.log('');
  }
  return checkBounds(
    cases.map(({ name, counts, max }) => ({
      name: `${name}, millionths of a dollar`,
      value: Math.round(costOf(counts) * 1e6),
      max: Math.round(max * 1e6),
    })),
  );
}
