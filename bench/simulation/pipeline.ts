import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FunctionName } from '../../functions/shared/environment.ts';
import type { MetricName } from '../../functions/shared/metric-names.ts';
import { objectEvent } from '../../local/aws/events/event.ts';
import type { ObjectEvent } from '../../local/aws/s3/s3.ts';
import { simulateAws } from './aws.ts';
import type { Count } from './billed-units.ts';
import { createVirtualClock } from './clock.ts';
import { readDeployment } from './deployment.ts';
import { isSimulated } from './functions.ts';
import { createLatency } from './latency.ts';
import { seededRandom } from './random.ts';
import { simulateS3 } from './s3.ts';
import { simulateSqs } from './sqs.ts';
import { simulateWan } from './wan.ts';

export interface PipelineOptions {
  seed: number;
  /** How long Wan takes for a video. */
  task_seconds: number;
  /** Settings of the stack, as in cdk.json. */
  context: Readonly<Record<string, unknown>>;
  /** Called with each amount that AWS bills, in the units of its price list. */
  count?: Count;
}

/** The whole pipeline in this process, by a virtual clock. */
export type Pipeline = Awaited<ReturnType<typeof startPipeline>>;

/** When the clock begins. */
const START = Date.parse('2026-01-01T00:00:00Z');

export async function startPipeline({ seed, task_seconds, context, count }: PipelineOptions) {
  const random = seededRandom(seed);
  const clock = createVirtualClock(START);
  const latency = createLatency(clock, random);
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-bench-'));
  const time = { clock, latency, random, count };

  let changed = (_change: ObjectEvent): void => undefined;
  const wan = await simulateWan(time, { directory, taskSeconds: task_seconds });
  const s3 = await simulateS3(time, { directory, changed: (change) => changed(change) });
  const deployment = await readDeployment({ awsUrl: s3.endpoint, emulatorUrl: wan.url }, context);
  for (const { name, versioned } of deployment.buckets) await s3.createBucket(name, { versioned });
  const measured = new Map<MetricName, number>();
  const { table, lambda, stepFunctions, trouble } = await simulateAws(time, deployment, {
    fetch: wan.fetch,
    s3: s3.client,
    sqs: (accept) => simulateSqs(time, accept),
    recordMetric: (name) => void measured.set(name, (measured.get(name) ?? 0) + 1),
  });
  const uploadsBucket = deployment.environmentOf('drop').UPLOADS_BUCKET!;
  changed = (change) => {
    if (change.name !== 'ObjectCreated' || change.bucket !== uploadsBucket || !change.key.startsWith('drop/')) return;
    void latency('eventBridge', async () => undefined).then(() =>
      lambda.accept('drop', objectEvent(change, clock.now())),
    );
  };
  for (const { name, seconds } of deployment.schedules.filter(({ name }) => isSimulated(name))) {
    void (async () => {
      for (;;) {
        await clock.sleep(seconds * 1000);
        lambda.accept(name, {});
      }
    })();
  }

  return {
    clock,
    wan,
    /** The table and S3 as seen from outside: looking at them takes no time. */
    table,
    s3: s3.outside,
    uploadsBucket,
    /** How often each figure was told, in all. */
    measured: measured as ReadonlyMap<MetricName, number>,
    /** What went wrong without anybody waiting for it. */
    get trouble() {
      return trouble();
    },
    /** Invokes a function as a schedule does. */
    invoke: (name: FunctionName) => lambda.invoke(name, {}),
    async close() {
      stepFunctions.close();
      await s3.close();
      await wan.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
