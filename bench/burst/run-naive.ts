import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createWanClient } from '../../functions/wan/client/client.ts';
import { createVirtualClock } from '../simulation/clock.ts';
import { createLatency } from '../simulation/latency.ts';
import { seededRandom } from '../simulation/random.ts';
import { simulateWan } from '../simulation/wan.ts';
import { drops, image, request } from './drops.ts';

export interface NaiveResult {
  drained_seconds: number;
  calls: number;
  throttled: number;
  /** When the end of each owner's first video was noticed, in seconds from the drop. */
  first_videos: { owner: string; noticed: number }[];
}

const START = Date.parse('2026-01-01T00:00:00Z');
/** Seconds between two queries of a task. */
const CHECK_SECONDS = 5;
/** The backoff of a Step Functions Retry with full jitter: up to 5 s, doubling to at most a minute. */
const backoffMilliseconds = (attempt: number, random: () => number) =>
  Math.min(60, 5 * 2 ** (attempt - 1)) * random() * 1000;

/** Simulates a pipeline without model queues: each drop's execution submits immediately and backs off after a 429. */
export async function runNaiveBurst(options: {
  seed: number;
  videos: number;
  task_seconds: number;
}): Promise<NaiveResult> {
  const random = seededRandom(options.seed);
  const clock = createVirtualClock(START);
  const latency = createLatency(clock, random);
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-bench-'));
  const wan = await simulateWan({ clock, latency }, { directory, taskSeconds: options.task_seconds });
  const client = createWanClient({ baseUrl: wan.url, apiKey: async () => 'sk-bench', fetch: wan.fetch });
  const img_url = `data:image/png;base64,${image.toString('base64')}`;
  const noticed: { owner: string; at: number }[] = [];

  /** Repeats a call while Wan throttles it. */
  async function callWithBackoff<Result extends { outcome: string }>(call: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      const result = await call();
      if (result.outcome !== 'throttled') return result;
      await clock.sleep(backoffMilliseconds(attempt, random));
    }
  }

  async function execute(owner: string): Promise<void> {
    await latency('eventBridge', async () => undefined);
    const { model, prompt, parameters } = request;
    const created = await callWithBackoff(() =>
      client.createTask({
        model,
        input: { prompt, media: [{ type: 'first_frame', url: img_url }] },
        parameters: { ...parameters, prompt_extend: true, watermark: false },
      }),
    );
    if (created.outcome !== 'created') throw new Error(`Wan created no task: ${created.outcome}.`);
    for (;;) {
      await clock.sleep(CHECK_SECONDS * 1000);
      const task = await callWithBackoff(() => client.queryTask(created.task_id));
      if (task.outcome === 'task' && task.status === 'SUCCEEDED') break;
    }
    noticed.push({ owner, at: (clock.now() - START) / 1000 });
  }

  try {
    const owners = drops(options.videos);
    const failures: unknown[] = [];
    for (const { owner, count } of owners)
      for (let number = 0; number < count; number++)
        execute(owner).catch((error: unknown) => void failures.push(error));
    await clock.run(() => noticed.length + failures.length >= options.videos, START + 24 * 3600_000);
    if (failures.length > 0) throw failures[0];
    return {
      drained_seconds: Math.max(...noticed.map(({ at }) => at)),
      calls: wan.calls.length,
      throttled: wan.calls.filter(({ status }) => status === 429).length,
      first_videos: owners.map(({ owner }) => ({
        owner,
        noticed: Math.min(...noticed.filter((each) => each.owner === owner).map(({ at }) => at)),
      })),
    };
  } finally {
    await wan.close();
    await rm(directory, { recursive: true, force: true });
  }
}
