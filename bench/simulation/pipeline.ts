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
  /** How long Wan takes for a video, in seconds. */
  task_seconds: number;
  /** Settings of the stack as in cdk.json. */
  context: Readonly<Record<string, unknown>>;
  /** Called for each billed amount. */
  count?: Count;
}

/** The whole pipeline in this process, on a virtual clock. */
export type Pipeline = Awaited<ReturnType<typeof startPipeline>>;

/** The start of the virtual clock. */
const START = Date.parse('2026-01-01T00:00:00Z');

export async function startPipeline({ seed, task_seconds, context, count }: PipelineOptions) {
  const random = seededRandom(seed);
  const clock = createVirtualClock(START);
  const latency = createLatency(clock, random);
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-bench-'));
  const simulation = { clock, latency, random, count };

  let onObjectEvent = (_event: ObjectEvent): void => undefined;
  const wan = await simulateWan(simulation, { directory, taskSeconds: task_seconds });
  const s3 = await simulateS3(simulation, { directory, onObjectEvent: (event) => onObjectEvent(event) });
  const deployment = await readDeployment({ awsUrl: s3.endpoint, emulatorUrl: wan.url }, context);
  for (const { name, versioned } of deployment.buckets) await s3.createBucket(name, { versioned });
  const metricCounts = new Map<MetricName, number>();
  const { table, lambda, stepFunctions, unhandledErrors } = await simulateAws(simulation, deployment, {
    fetch: wan.fetch,
    s3: s3.client,
    sqs: (accept) => simulateSqs(simulation, accept),
    recordMetric: (name) => void metricCounts.set(name, (metricCounts.get(name) ?? 0) + 1),
  });
  const uploadsBucket = deployment.environmentOf('drop').UPLOADS_BUCKET!;
  onObjectEvent = (event) => {
    if (event.name !== 'ObjectCreated' || event.bucket !== uploadsBucket || !event.key.startsWith('drop/')) return;
    void latency('eventBridge', async () => undefined).then(() =>
      lambda.accept('drop', objectEvent(event, clock.now())),
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
    /** Table and S3 for the bench, whose calls take no time on the virtual clock. */
    table,
    s3: s3.observer,
    uploadsBucket,
    /** How often each metric was recorded. */
    metricCounts: metricCounts as ReadonlyMap<MetricName, number>,
    /** Errors that no caller received. */
    get unhandledErrors() {
      return unhandledErrors();
    },
    /** Invokes a function like a schedule. */
    invoke: (name: FunctionName) => lambda.invoke(name, {}),
    async close() {
      stepFunctions.close();
      await s3.close();
      await wan.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
