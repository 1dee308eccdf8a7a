import { pacedWan } from '../../functions/polling/rate-limited-wan.ts';
import { claimPermit } from '../../functions/queue/model-queue.ts';
import type { VideoRecord } from '../../functions/video/record.ts';
import { createVideo, newVideo, readVideo } from '../../functions/video/store.ts';
import type { Table } from '../../functions/video/table.ts';
import { createWanClient } from '../../functions/wan/client/client.ts';
import { firstCheck } from '../../functions/workflow/adopt-task.ts';
import { type CheckTaskServices, checkTask } from '../../functions/workflow/check-task.ts';
import { usual } from '../../local/addresses.ts';
import { createVirtualClock } from '../simulation/clock.ts';
import { readDeployment } from '../simulation/deployment.ts';
import { createLatency } from '../simulation/latency.ts';
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

/** How the workflow's own checks do: the real code over the real table, each check a function that is invoked. */
export async function followTasks({ seed, durations, permits }: FollowingOptions): Promise<Figures> {
  const random = seededRandom(seed);
  const clock = createVirtualClock(START);
  const latency = createLatency(clock, random);
  const deployment = await readDeployment({ awsUrl: usual.awsUrl, emulatorUrl: usual.emulatorUrl }, {});
  const { table, outside } = await simulateTable({ clock, latency }, deployment.table);
  const wan = createLightWan({ clock, latency });
  const measure = () => undefined;
  const sleep = (milliseconds: number) => clock.sleep(milliseconds);
  const asIfReal = createWanClient({ baseUrl: usual.emulatorUrl, apiKey: async () => 'sk-bench', fetch });
  const lane = { model: MODEL, permits, submit_interval_ms: STAGGER_SECONDS * 1000 };
  const common = { measure, random, sleep, configuredSeconds: undefined };
  /** As a container has them: what it remembers is its own. */
  const container = (): CheckTaskServices => {
    const own: Table = { ...table, client: { send: table.client.send } as Table['client'] };
    return {
      ...common,
      table: own,
      workflow: { client: { send: () => Promise.reject(new Error('Nothing waits.')) }, stateMachineArn: 'arn:none' },
      laneOf: () => lane,
      wan: pacedWan({ ...asIfReal, ...wan.client }, { table: own, measure, sleep }),
    };
  };
  const idle: CheckTaskServices[] = [];
  const lags: number[] = [];

  async function follow(number: number, duration: number): Promise<void> {
    const taskId = `task-${number}`;
    wan.begin(taskId, duration);
    const video = runningVideo(number, taskId, clock.now());
    await createVideo(outside, video);
    await claimPermit(outside, lane, video);
    let output: { check_at?: string; outcome: string } = await firstCheck(
      { ...common, table, wanRegion: 'singapore' },
      video,
    );
    while (output.check_at !== undefined) {
      await clock.sleep(Date.parse(output.check_at) - clock.now());
      await latency('transition', async () => undefined);
      const warm = idle.pop();
      const services = await latency(warm ? 'warmStart' : 'coldStart', async () => warm ?? container());
      output = await checkTask(services, video).catch(async (error: unknown) => {
        // The state machine's Retry for trouble at Wan begins with 5 s.
        if (!(error instanceof Error) || !error.name.startsWith('Wan')) throw error;
        return { outcome: 'running', check_at: new Date(clock.now() + 5000).toISOString() };
      });
      idle.push(services);
    }
    const noticed = (await readVideo(outside, video.id))!.timeline.find(({ status }) => status === 'archiving')!;
    lags.push((Date.parse(noticed.at) - wan.endOf(taskId)) / 1000);
  }

  let next = 0;
  const failures: unknown[] = [];
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
