import { prices } from '../../infra/operations/cost.ts';
import { dropAll, request } from '../burst/drops.ts';
import { HISTORY_EVENT_BYTES, LOG_LINE_BYTES, OWN_WORK_SECONDS } from '../simulation/billed-units.ts';
import { describeLatency } from '../simulation/latency.ts';
import { type Pipeline, startPipeline } from '../simulation/pipeline.ts';
import { judge, startTable } from '../verdict.ts';

type Unit = keyof typeof prices;
type Counts = Partial<Record<Unit, number>>;

/** How long Wan takes for a video, in seconds. */
const TASK_SECONDS = 120;
/** The submission, and eight requests of a client that long-polls. */
const API_REQUESTS = 9;
/** Streaming and proving an MP4 of 5 MB. */
const COPY_SECONDS = 2;
const MINUTES_A_MONTH = 30 * 24 * 60;

/** What is not simulated, for each video. */
const assumed: Counts = {
  apiRequest: API_REQUESTS,
  // For each request an authorizer (50 ms of 256 MB) and a function (100 ms of 512 MB), two reads and three lines of log.
  lambdaRequest: 2 * API_REQUESTS,
  lambdaGigabyteSecond: API_REQUESTS * (0.05 * 0.25 + 0.1 * 0.5) + COPY_SECONDS * 0.5,
  readUnit: 2 * API_REQUESTS,
  logGigabyte: (3 * API_REQUESTS * LOG_LINE_BYTES) / 1e9,
  // The upload of the image, and Wan's fetch of it.
  objectPut: 1,
  objectGet: 1,
};

/** What AWS bills while something happens in a new pipeline. */
async function countWhile(seed: number, happens: (pipeline: Pipeline) => Promise<void>): Promise<Counts> {
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
    await happens(pipeline);
    if (pipeline.trouble.length > 0) throw pipeline.trouble[0];
    return counts;
  } finally {
    await pipeline.close();
  }
}

const letPass = ({ clock }: Pipeline, milliseconds: number): Promise<void> => {
  const until = clock.now() + milliseconds;
  return clock.run(() => clock.now() >= until, Number.POSITIVE_INFINITY);
};

/** What videos that are dropped at once take, each: without what the same minutes take when there is none. */
async function countVideos(seed: number, videos: number): Promise<Counts> {
  let milliseconds = 0;
  const busy = await countWhile(seed, async (pipeline) => {
    const { clock, measured } = pipeline;
    const began = clock.now();
    await dropAll(pipeline, [{ owner: 'alice', count: videos }]);
    await clock.run(() => (measured.get('Succeeded') ?? 0) >= videos, began + 3600_000);
    // The watcher lingers, and the result is written.
    await letPass(pipeline, 60_000);
    milliseconds = clock.now() - began;
  });
  const idle = await countWhile(seed, (pipeline) => letPass(pipeline, milliseconds));
  return combine((unit) => ((busy[unit] ?? 0) - (idle[unit] ?? 0)) / videos + (assumed[unit] ?? 0));
}

/** What the watchers of a month without a video take: one each minute, so that its container stays warm. */
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

/** What a video costs at AWS, by what is counted. @returns whether every bound holds */
export async function cost({ seed = 1 } = {}): Promise<boolean> {
  console.log(
    `Cost: drops whose tasks take ${TASK_SECONDS} s, with the API's requests of a submission added. Seed ${seed}. A simulation: the`,
  );
  console.log(
    'functions, state machine and table as deployed, by a virtual clock; the prices are those of docs/cost.md.',
  );
  console.log(`Assumed: ${describeLatency()}`);
  console.log(
    `  ${OWN_WORK_SECONDS} s of own work in each invocation, ${COPY_SECONDS} s to copy an MP4; ${API_REQUESTS} requests of the API, each`,
  );
  console.log(
    `  2 invocations and 2 reads; ${LOG_LINE_BYTES} bytes a line of log and an invocation, ${HISTORY_EVENT_BYTES} an event of an execution.\n`,
  );
  const cases = [
    { what: 'a video alone', counts: await countVideos(seed, 1), most: 0.0008 },
    { what: 'a video of five at once', counts: await countVideos(seed, 5), most: 0.0006 },
    { what: 'the watcher in an idle month', counts: await countIdleWatcher(seed), most: 0.05 },
  ];
  for (const { what, counts } of cases) {
    const print = startTable(36, [what, '       count', '           $']);
    for (const unit of units)
      if (counts[unit]) print([unit, counts[unit].toPrecision(4), (counts[unit] * prices[unit]).toFixed(7)]);
    print(['together', '', costOf(counts).toFixed(7)]);
    console.log('');
  }
  return judge(
    cases.map(({ what, counts, most }) => ({
      what: `${what}, millionths of a dollar`,
      figure: Math.round(costOf(counts) * 1e6),
      most: Math.round(most * 1e6),
    })),
  );
}
