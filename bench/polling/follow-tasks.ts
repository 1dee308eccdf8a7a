import type { S3Client } from '@aws-sdk/client-s3';
import { catalogueLane } from '../../functions/entries/services.ts';
import { claimPermit } from '../../functions/queue/model-queue.ts';
import { readEnvironment } from '../../functions/shared/environment.ts';
import type { VideoRecord } from '../../functions/video/record.ts';
import { createVideo, newVideo, readVideo } from '../../functions/video/store.ts';
import { firstCheck } from '../../functions/workflow/adopt-task.ts';
import { usual } from '../../local/addresses.ts';
import { createVirtualClock } from '../simulation/clock.ts';
import { readDeployment } from '../simulation/deployment.ts';
import { loadFunction, type World } from '../simulation/functions.ts';
import type { Handler } from '../simulation/lambda.ts';
import { createLatency } from '../simulation/latency.ts';
import { errorLogger, secrets } from '../simulation/platform.ts';
import { seededRandom } from '../simulation/random.ts';
import { simulateTable } from '../simulation/table.ts';
import { type Figures, figuresOf } from './figures.ts';
import { STAGGER_SECONDS } from './fixed-schedules.ts';
import { createLightWan } from './light-wan.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const MODEL = 'wan2.5-i2v-preview';
const DAY = 24 * 3600_000;

export interface FollowingOptions {
  seed: number;
  /** Of the videos, in seconds, in the order of their submits. */
  durations: readonly number[];
  permits: number;
}

/** How the workflow's own checks do: the deployed function over the real table, each check an invocation. */
export async function followTasks({ seed, durations, permits }: FollowingOptions): Promise<Figures> {
  const random = seededRandom(seed);
  const clock = createVirtualClock(START);
  const latency = createLatency(clock, random);
  const deployment = await readDeployment(
    { awsUrl: usual.awsUrl, emulatorUrl: usual.emulatorUrl },
    { extraPermits: 0, limits: { [MODEL]: { concurrent_tasks: permits, submits_per_second: 1 / STAGGER_SECONDS } } },
  );
  const { dynamoDb, outside } = await simulateTable({ clock, latency }, deployment.table);
  const wan = createLightWan({ clock, latency });
  const failures: unknown[] = [];
  const unused = { send: () => Promise.reject(new Error('No check calls this.')) };
  const world: World = {
    environmentOf: deployment.environmentOf,
    platform: {
      clock,
      random,
      fetch: wan.fetch,
      logger: errorLogger(failures),
      dynamoDb,
      s3: unused as Partial<S3Client> as S3Client,
      stepFunctions: unused,
      sqs: unused,
      secrets,
      measure: () => undefined,
    },
  };
  const { LANE_LIMITS } = readEnvironment('check-task', deployment.environmentOf('check-task'));
  const lane = catalogueLane(MODEL, LANE_LIMITS);
  const idle: Handler[] = [];
  const lags: number[] = [];

  async function follow(number: number, duration: number): Promise<void> {
    const taskId = `task-${number}`;
    wan.begin(taskId, duration);
    const video = runningVideo(number, taskId, clock.now());
    await createVideo(outside, video);
    await claimPermit(outside, lane, video);
    let output: { outcome?: string; check_at?: string } = await firstCheck(
      {
        ...world.platform,
        table: { ...outside, client: dynamoDb },
        wanRegion: 'singapore',
        configuredSeconds: undefined,
      },
      video,
    );
    while (output.check_at !== undefined) {
      await clock.sleep(Date.parse(output.check_at) - clock.now());
      await latency('transition', async () => undefined);
      const warm = idle.pop();
      const check = await latency(
        warm ? 'warmStart' : 'coldStart',
        async () => warm ?? loadFunction(world, 'check-task'),
      );
      output = (await check({ id: video.id, run: video.run } as never).catch(async (error: unknown) => {
        // The state machine's Retry for trouble at Wan begins with 5 s.
        if (!(error instanceof Error) || !error.name.startsWith('Wan')) throw error;
        return { check_at: new Date(clock.now() + 5000).toISOString() };
      })) as { check_at?: string };
      idle.push(check);
    }
    const noticed = (await readVideo(outside, video.id))!.timeline.find(({ status }) => status === 'archiving')!;
    lags.push((Date.parse(noticed.at) - wan.endOf(taskId)) / 1000);
  }

  let next = 0;
  const slots = Array.from({ length: Math.min(permits, durations.length) }, async (_, slot) => {
    await clock.sleep(slot * STAGGER_SECONDS * 1000);
    while (next < durations.length) {
      const number = next++;
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
  if (failures.length > 0) throw failures[0];
  return figuresOf(lags, wan.questions);
}

/** A video whose task has just been made. */
function runningVideo(number: number, taskId: string, now: number): VideoRecord {
  const at = new Date(now).toISOString();
  return {
    ...newVideo(
      {
        id: `00000000-0000-8000-8000-${String(number).padStart(12, '0')}`,
        owner: 'bench',
        source: { type: 'api', key_id: 'bench' },
        model: MODEL,
        input: { prompt: 'A cat runs', img_url: 'https://example.com/cat.png' },
        parameters: { resolution: '480P', duration: 5, prompt_extend: true, watermark: false },
        metadata: {},
        warnings: [],
        request_hash: '',
      },
      now,
    ),
    status: 'running',
    run: 1,
    submission: { attempt: 1, state: 'settled', sent_at: at },
    task: {
      id: taskId,
      status: 'PENDING',
      region: 'singapore',
      submit_time: at,
      expires_at: new Date(now + DAY).toISOString(),
      attempts: 1,
    },
  };
}
