import type { S3Client } from '@aws-sdk/client-s3';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { modelLimitsOf } from '../../functions/entries/services.ts';
import { typicalSecondsOf } from '../../functions/polling/durations.ts';
import { claimPermit } from '../../functions/queue/model-queue.ts';
import { readEnvironment } from '../../functions/shared/environment.ts';
import type { VideoRecord } from '../../functions/video/record.ts';
import { createVideo, newVideo, readVideo } from '../../functions/video/store.ts';
import type { Table } from '../../functions/video/table.ts';
import { defaultAddresses } from '../../local/addresses.ts';
import { simulateAws } from '../simulation/aws.ts';
import { createVirtualClock } from '../simulation/clock.ts';
import { readDeployment } from '../simulation/deployment.ts';
import { createLatency } from '../simulation/latency.ts';
import { seededRandom } from '../simulation/random.ts';
import { createFakeWan } from './fake-wan.ts';
import { STAGGER_SECONDS } from './fixed-schedules.ts';
import { type PollingMetrics, pollingMetrics, quantile } from './polling-metrics.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const MODEL = 'wan2.5-i2v-preview';
const DAY = 24 * 3600_000;

export interface FollowTasksOptions {
  seed: number;
  /** The durations of the videos in seconds, in the order of submission. */
  durations: readonly number[];
  permits: number;
  /** The setting `wanQueriesPerSecond`. */
  queriesPerSecond: number;
}

export interface FollowTasksResult extends PollingMetrics {
  /** State transitions of a video: three more for each sleep that timed out. */
  median_transitions: number;
  mean_transitions: number;
}

/**
 * Measures the watcher with the deployed state machine, watcher and CheckTask over a real table, each in its own invocation. A
 * video ends when it would be archived, and the next one starts in its place.
 */
export async function followTasks({
  seed,
  durations,
  permits,
  queriesPerSecond,
}: FollowTasksOptions): Promise<FollowTasksResult> {
  const random = seededRandom(seed);
  const clock = createVirtualClock(START);
  const latency = createLatency(clock, random);
  const deployment = await readDeployment(
    { awsUrl: defaultAddresses.awsUrl, emulatorUrl: defaultAddresses.emulatorUrl },
    {
      extraPermits: 0,
      wanQueriesPerSecond: queriesPerSecond,
      limits: { [MODEL]: { concurrent_tasks: permits, submits_per_second: 1 / STAGGER_SECONDS } },
    },
  );
  const wan = createFakeWan({ clock, latency });
  const failures: unknown[] = [];
  const ends = new Map<string, () => void>();
  const unused = { send: () => Promise.reject(new Error('This client must not be called.')) };
  const { table, lambda, stepFunctions, unhandledErrors } = await simulateAws(
    { clock, latency, random },
    deployment,
    {
      fetch: wan.fetch,
      s3: unused as Partial<S3Client> as S3Client,
      sqs: () => unused,
      recordMetric: () => undefined,
    },
    {
      async 'archive-video'({ id }: { id: string }) {
        ends.get(id)?.();
        return { id };
      },
    },
  );
  const environment = readEnvironment('check-task', deployment.environmentOf('check-task'));
  const limits = modelLimitsOf(MODEL, environment.LIMIT_SETTINGS);
  const lags: number[] = [];

  async function follow(number: number, duration: number): Promise<void> {
    const taskId = `task-${number}`;
    wan.begin(taskId, duration);
    const video = await runningVideo(table, number, taskId);
    await createVideo(table, video);
    await claimPermit(table, limits, video);
    const ended = new Promise<void>((resolve) => void ends.set(video.id, resolve));
    const { id, run } = video;
    const start = {
      stateMachineArn: environment.STATE_MACHINE_ARN,
      name: `${id}-${run}`,
      input: JSON.stringify({ id, run }),
    };
    await stepFunctions.client.send(new StartExecutionCommand(start));
    await ended;
    const noticed = (await readVideo(table, id))!.timeline.find(({ status }) => status === 'archiving')!;
    lags.push((Date.parse(noticed.at) - wan.endOf(taskId)) / 1000);
  }

  void (async () => {
    for (;;) {
      await clock.sleep(60_000);
      lambda.accept('watch', {});
    }
  })();
  // Spaces the submissions of the model by Wan's rate limit, including those that follow an ended task.
  let free = clock.now();
  async function submissionSlot(): Promise<void> {
    const at = Math.max(clock.now(), free);
    free = at + STAGGER_SECONDS * 1000;
    await clock.sleep(at - clock.now());
  }
  let next = 0;
  const slots = Array.from({ length: Math.min(permits, durations.length) }, async () => {
    while (next < durations.length) {
      const number = next++;
      await submissionSlot();
      await follow(number, durations[number]!);
    }
  });
  let isDone = false;
  void Promise.all(slots)
    .catch((error: unknown) => void failures.push(error))
    .then(() => {
      isDone = true;
    });
  await clock.run(() => isDone, START + 30 * DAY);
  failures.push(...unhandledErrors());
  if (failures.length > 0) throw failures[0];
  const transitions = stepFunctions.executions().map((execution) => execution.transitions);
  stepFunctions.close();
  return {
    ...pollingMetrics(lags, wan.queries),
    median_transitions: quantile(transitions, 0.5),
    mean_transitions: transitions.reduce((sum, count) => sum + count, 0) / transitions.length,
  };
}

/** Returns a video whose task has just been created. */
async function runningVideo(table: Table, number: number, taskId: string): Promise<VideoRecord> {
  const now = table.now();
  const at = new Date(now).toISOString();
  const queued = newVideo(
    {
      id: `00000000-0000-8000-8000-${String(number).padStart(12, '0')}`,
      owner: 'bench',
      source: { type: 'api', key_id: 'bench' },
      model: MODEL,
      input: { prompt: 'A cat runs', media: [{ type: 'first_frame', url: 'https://example.com/cat.png' }] },
      parameters: { resolution: '480P', duration: 5, prompt_extend: true, watermark: false },
      metadata: {},
      warnings: [],
      request_hash: '',
    },
    now,
  );
  return {
    ...queued,
    status: 'running',
    run: 1,
    submission: { attempt: 1, state: 'settled', sent_at: at },
    task: {
      id: taskId,
      status: 'PENDING',
      region: 'singapore',
      submit_time: at,
      expires_at: new Date(now + DAY).toISOString(),
      expected_seconds: await typicalSecondsOf(table, queued),
      attempts: 1,
    },
  };
}
