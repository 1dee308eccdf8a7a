import { describe, expect, test } from 'vitest';
import { readSpending, reserveSpending } from '../../../functions/ledger/spending.ts';
import { learnDuration, typicalSecondsOf } from '../../../functions/polling/durations.ts';
import { listWaiting, readWait, type Wait, waitFor } from '../../../functions/polling/wait-item.ts';
import { claimPermit, readModelQueue } from '../../../functions/queue/model-queue.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeVideo, createVideo, readVideo } from '../../../functions/video/store.ts';
import type { QueryOutcome, Task } from '../../../functions/wan/client/query-task.ts';
import { explainEnding } from '../../../functions/wan/failures.ts';
import { type CheckTaskServices, checkTask } from '../../../functions/workflow/check-task.ts';
import { recordFailure } from '../../../functions/workflow/record-failure.ts';
import type { CheckTaskInput, CheckTaskOutput } from '../../../functions/workflow/step-handler.ts';
import { startTable } from '../../support/table.ts';
import { aTask, aVideo } from '../../support/videos.ts';
import { writeToken } from '../polling/write-token.ts';
import { scriptedExecutions } from './support.ts';

const now = Date.parse('2026-01-01T00:01:00Z');
let models = 0;
const store = startTable(() => now);

/** Creates a running video with a permit, and a queued one. */
async function running(answer: Partial<Task> | Exclude<QueryOutcome, Task>, given: Partial<VideoRecord> = {}) {
  const model = `model-${++models}`;
  const task = aTask({ status: 'PENDING' });
  const video = aVideo({ model, status: 'running', run: 1, task, ...given });
  const next = aVideo({ model, owner: 'bob' });
  for (const each of [video, next]) await createVideo(store.table, each);
  const { executions, workflow } = scriptedExecutions();
  const unknown: string[] = [];
  const services: CheckTaskServices = {
    table: store.table,
    workflow,
    limitsOf: () => ({ model, permits: 1, submit_interval_ms: 1 }),
    wan: {
      queryTask: async () => ({ outcome: 'task', task_id: 'task-1', status: 'RUNNING', ...answer }) as QueryOutcome,
    },
    configuredSeconds: 100,
    recordMetric: () => undefined,
    onUnknownStatus: (_, status) => void unknown.push(status),
  };
  await claimPermit(store.table, await services.limitsOf(model), video);
  const stateAfter = async () => ({
    video: (await readVideo(store.table, video.id))!,
    permits: [...(await readModelQueue(store.table, model)).running],
    started: [...executions.keys()],
  });
  return { video, next, services, stateAfter, unknown };
}

test.each(['PENDING', 'RUNNING'] as const)('waits for a task that is %s', async (status) => {
  const { video, services, stateAfter } = await running({ status });
  expect(await checkTask(services, video)).toMatchObject({ id: video.id, run: 1, outcome: 'running' });
  const { video: record, permits } = await stateAfter();
  expect(record).toMatchObject({ status: 'running', task: { status } });
  expect(record.timeline).toEqual(video.timeline);
  expect(permits).toEqual([video.id]);
});

describe('a task that has not ended', () => {
  const waitAfter = async (
    given: Partial<VideoRecord> & { configuredSeconds?: number; at?: number },
    input: Partial<CheckTaskInput> = {},
    answer: Parameters<typeof running>[0] = {},
  ): Promise<Wait> => {
    const { configuredSeconds = 100, at = now, ...rest } = given;
    const { video, services } = await running(answer, rest);
    const table = { ...store.table, now: () => at };
    const output = await checkTask({ ...services, table, configuredSeconds }, { id: video.id, run: 1, ...input });
    if (output.outcome !== 'running') throw new Error(`The task is ${output.outcome}.`);
    return output.wait;
  };
  const timedOut = { Error: 'States.Timeout', Cause: '' };

  test.each([
    [10, 180],
    [89, 180],
    [100, 200],
    [301.2, 603],
    [449, 898],
    [5000, 900],
  ])(
    'with a typical duration of %d s is checked again after %d s: twice that, within 3 to 15 minutes',
    async (usual, timeout) => {
      expect((await waitAfter({ configuredSeconds: usual })).timeout_seconds).toBe(timeout);
    },
  );

  test.each([
    [200, 200],
    [500.5, 501],
    [3600, 900],
  ])('after %d s, more than twice its typical duration, is checked again after %d s', async (age, timeout) => {
    const at = Date.parse(aTask().submit_time) + age * 1000;
    expect((await waitAfter({ at })).timeout_seconds).toBe(timeout);
  });

  test('uses the learned duration, not the one expected at its creation', async () => {
    const kind = { model: 'learned', parameters: aVideo().parameters };
    for (let tasks = 0; tasks < 40; tasks++) await learnDuration(store.table, kind, 300, 100);
    const { timeout_seconds } = await waitAfter({ model: 'learned', task: aTask({ expected_seconds: 1 }) });
    expect(timeout_seconds).toBeGreaterThan(580);
    expect(timeout_seconds).toBeLessThanOrEqual(600);
  });

  test.each([
    [24 * 3600 + 599.5, 1],
    [24 * 3600 + 590, 10],
    [24 * 3600 + 500.2, 100],
  ])('after %d s is not waited for beyond its deadline', async (age, timeout) => {
    const at = Date.parse(aTask().submit_time) + age * 1000;
    expect((await waitAfter({ at })).timeout_seconds).toBe(timeout);
  });

  test('gets a longer pause after each premature wake: 10 s, doubling up to 15 minutes', async () => {
    const pauses: number[] = [];
    let wait: Wait | undefined;
    for (let wakes = 0; wakes < 9; wakes++) {
      wait = await waitAfter({}, wait ? { wait } : {});
      pauses.push(wait.pause_seconds);
      expect(Number(wait.wake_after)).toBe(now + wait.pause_seconds * 1000);
    }
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 640, 900, 900]);
  });

  test.each([0, 10, 320])('keeps its pause after a timeout: %d s', async (pause_seconds) => {
    const wait = await waitAfter({}, { wait: { pause_seconds }, error: timedOut });
    expect(wait.pause_seconds).toBe(pause_seconds);
    expect(Number(wait.wake_after)).toBe(now + pause_seconds * 1000);
  });

  test("waits with its video's item, with DynamoDB numbers as strings", async () => {
    const { video, services } = await running({});
    const output = await checkTask(services, { id: video.id, run: 1, wait: { pause_seconds: 0 }, error: timedOut });
    expect(output).toEqual({
      id: video.id,
      run: 1,
      outcome: 'running',
      wait: {
        key: `wait#${video.id}`,
        run: '1',
        task_id: 'task-1',
        model: video.model,
        submit_time: '2026-01-01T00:00:00.000Z',
        order: `${video.model}#task-1`,
        wake_after: String(now),
        ttl: expect.stringMatching(/^\d{10}$/),
        timeout_seconds: 200,
        pause_seconds: 0,
      },
    });
  });

  test('with an undocumented status is waited for and reported', async () => {
    const { video, services, unknown, stateAfter } = await running({
      outcome: 'unrecognised',
      status: 'DREAMING',
      task_id: 'task-1',
    });
    expect(await checkTask(services, video)).toMatchObject({ outcome: 'running', wait: { pause_seconds: 10 } });
    expect(unknown).toEqual(['DREAMING']);
    expect((await stateAfter()).video).toMatchObject({ status: 'running', task: { status: 'PENDING' } });
  });
});

describe('the wait item', () => {
  /** Creates a video whose execution woke with the token `first`. */
  async function woken(answer: Parameters<typeof running>[0], given: Partial<VideoRecord> = {}, run = 1) {
    const scene = await running(answer, given);
    const { video } = scene;
    const wait = waitFor({ ...video, run, task: video.task! }, { now, typicalSeconds: 100 });
    await writeToken(store.table, 'first', wait);
    const isListed = async () => (await listWaiting(store.table)).some(({ id }) => id === video.id);
    expect(await isListed()).toBe(true);
    return { ...scene, wait, isListed };
  }

  test.each<[string, Parameters<typeof running>[0], Partial<VideoRecord>, CheckTaskOutput['outcome']]>([
    ['SUCCEEDED', { status: 'SUCCEEDED', video_url: 'https://x' }, {}, 'succeeded'],
    ['FAILED', { status: 'FAILED' }, {}, 'failed'],
    ['CANCELED', { status: 'CANCELED' }, {}, 'settled'],
    ['expired', { status: 'UNKNOWN' }, { task: aTask({ expires_at: '2025-12-31T00:00:00.000Z' }) }, 'failed'],
    [
      'running past its deadline',
      { status: 'RUNNING' },
      { task: aTask({ expires_at: '2025-12-31T00:00:00.000Z' }) },
      'failed',
    ],
    ['of a video that was canceled', {}, { status: 'canceled' }, 'settled'],
    ['of a video that is being archived', { status: 'SUCCEEDED' }, { status: 'archiving' }, 'succeeded'],
  ])('is closed when the task is %s: not in the index, and without a token', async (_, answer, given, outcome) => {
    const { video, services, isListed } = await woken(answer, given);
    expect((await checkTask(services, video)).outcome).toBe(outcome);
    expect(await isListed()).toBe(false);
    expect((await readWait(store.table, video.id))?.token).toBeUndefined();
  });

  test('stays open while the task runs', async () => {
    const { video, services, isListed } = await woken({ status: 'RUNNING' });
    await checkTask(services, video);
    expect(await isListed()).toBe(true);
  });

  test('is closed by RecordFailure too', async () => {
    const { video, services, isListed } = await woken({});
    await recordFailure(services, { id: video.id, run: 1, error: explainEnding('generation_failed') });
    expect(await isListed()).toBe(false);
  });

  test.each<[string, (scene: Awaited<ReturnType<typeof woken>>) => Promise<unknown>]>([
    ['CheckTask', ({ services, video }) => checkTask(services, { id: video.id, run: 1 })],
    [
      'RecordFailure',
      ({ services, video }) =>
        recordFailure(services, { id: video.id, run: 1, error: explainEnding('generation_failed') }),
    ],
  ])('of a newer run is not closed by %s of an older one', async (_, end) => {
    const scene = await woken({ status: 'SUCCEEDED' }, { run: 2 }, 2);
    await end(scene);
    expect(await scene.isListed()).toBe(true);
    expect((await readWait(store.table, scene.video.id))?.token).toBe('first');
  });

  test('of a newer run, open or closed, is not overwritten by an older one', async () => {
    const { video, services, wait, isListed } = await woken({ status: 'SUCCEEDED' }, { run: 2 }, 2);
    expect(await writeToken(store.table, 'older', { ...wait, run: '1' })).toBe(false);
    expect((await readWait(store.table, video.id))?.token).toBe('first');
    await checkTask(services, { id: video.id, run: 2 });
    expect(await writeToken(store.table, 'older', { ...wait, run: '1' })).toBe(false);
    expect(await isListed()).toBe(false);
    expect(await writeToken(store.table, 'newer', { ...wait, run: '3' })).toBe(true);
  });

  test('is not created by checking a video without one', async () => {
    const { video, services } = await running({ status: 'FAILED' });
    await checkTask(services, video);
    expect(await readWait(store.table, video.id)).toBeUndefined();
  });
});

describe('an ended task passes its permit to the next video', () => {
  test('SUCCEEDED: the video is archiving', async () => {
    const usage = { duration: 5 };
    const { video, next, services, stateAfter } = await running({ status: 'SUCCEEDED', video_url: 'https://x', usage });
    expect(await checkTask(services, video)).toEqual({ id: video.id, run: 1, outcome: 'succeeded' });
    const { video: record, permits, started } = await stateAfter();
    expect(record).toMatchObject({ status: 'archiving', usage, task: { status: 'SUCCEEDED' } });
    expect(JSON.stringify(record)).not.toContain('https://x');
    expect({ permits, started }).toEqual({ permits: [next.id], started: [`${next.id}-1`] });
    // The state machine may repeat the step after a crash.
    expect(await checkTask(services, video)).toEqual({ id: video.id, run: 1, outcome: 'succeeded' });
  });

  test("SUCCEEDED: the reservation is replaced by Wan's usage before the permit is released", async () => {
    const estimated_cost = { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5, as_of: '2025-12-29' } as const;
    const answer = { status: 'SUCCEEDED', video_url: 'https://x', usage: { duration: 10 } } as const;
    const { video, services } = await running(answer, { owner: 'spender', estimated_cost });
    await reserveSpending(store.table, video, 1);
    await checkTask(services, video);
    expect(await readSpending(store.table, 'spender', '2026-01')).toMatchObject({ spent: 0.2, reserved: 0, videos: 1 });
  });

  test("SUCCEEDED: Wan's rewritten prompt is stored, but not before", async () => {
    const answer = { status: 'SUCCEEDED', video_url: 'https://x', actual_prompt: 'A cat runs, in detail' } as const;
    const { video, services, stateAfter } = await running(answer);
    await checkTask(services, video);
    expect((await stateAfter()).video.task?.actual_prompt).toBe('A cat runs, in detail');
    const early = await running({ status: 'RUNNING', actual_prompt: 'A cat' });
    await checkTask(early.services, early.video);
    expect((await early.stateAfter()).video.task).toMatchObject({ status: 'RUNNING' });
    expect((await early.stateAfter()).video.task).not.toHaveProperty('actual_prompt');
  });

  test('CANCELED: the video is canceled', async () => {
    const { video, next, services, stateAfter } = await running({ status: 'CANCELED' });
    expect(await checkTask(services, video)).toMatchObject({ outcome: 'settled' });
    const { video: record, permits } = await stateAfter();
    expect({ status: record.status, permits }).toEqual({ status: 'canceled', permits: [next.id] });
    expect(record.error).toMatchObject({ code: 'task_canceled', billed: false });
  });
});

test.each([
  ['FAILED', { code: 'DataInspectionFailed', message: 'x' }, 'content_refused'],
  ['FAILED', {}, 'generation_failed'],
] as const)('%s %j ends with the code of that ending', async (status, news, code) => {
  const { video, services, stateAfter } = await running({ status, ...news });
  expect(await checkTask(services, video)).toMatchObject({ outcome: 'failed', error: { code } });
  expect((await stateAfter()).video.task?.status).toBe(status);
});

describe('a task that Wan does not know', () => {
  const expires_at = '2026-01-01T00:01:00.000Z';
  test.each([
    ['running', 'task_expired'],
    ['archiving', 'video_lost'],
  ] as const)('is forgotten once it is a day old: a %s video ends as %s', async (status, code) => {
    const { video, services } = await running({ status: 'UNKNOWN' }, { status });
    const forgotten = { ...video.task!, expires_at };
    await changeVideo(store.table, video, { set: { task: forgotten } });
    expect(await checkTask(services, video)).toMatchObject({ outcome: 'failed', error: { code } });
  });

  test('is queried again before it expires', async () => {
    const { video, services, stateAfter } = await running({ status: 'UNKNOWN' });
    await expect(checkTask(services, video)).rejects.toThrow(expect.objectContaining({ name: 'TaskUnknown' }));
    expect((await stateAfter()).video.status).toBe('running');
  });
});

test('two concurrent checks of a succeeded task both continue to the archive', async () => {
  const { video, services } = await running({ status: 'SUCCEEDED', video_url: 'https://x' });
  const outcomes = await Promise.all([checkTask(services, video), checkTask(services, video)]);
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
});

test.each([
  [{ outcome: 'throttled', retryable: true, code: 'Throttling', message: '', billed: false }, 'WanThrottled'],
  [{ outcome: 'unavailable', cause: 'response_malformed', retryable: true, billed: false }, 'WanUnavailable'],
  [
    {
      outcome: 'account_refused',
      reason: 'invalid_key',
      retryable: true,
      code: 'InvalidApiKey',
      message: '',
      billed: false,
    },
    'WanUnavailable',
  ],
] as const)('%j throws %s, which the state machine retries', async (answer, name) => {
  const { video, services, stateAfter } = await running(answer);
  await expect(checkTask(services, video)).rejects.toThrow(expect.objectContaining({ name }));
  expect((await stateAfter()).video.status).toBe('running');
});

test('an older run does nothing, and an ended video releases its permit', async () => {
  const old = await running({ status: 'SUCCEEDED', video_url: 'https://x' }, { run: 2 });
  expect(await checkTask(old.services, { id: old.video.id, run: 1 })).toMatchObject({ outcome: 'settled' });
  expect((await old.stateAfter()).video.status).toBe('running');
  const ended = await running({}, { status: 'failed' });
  expect(await checkTask(ended.services, ended.video)).toMatchObject({ outcome: 'settled' });
  expect((await ended.stateAfter()).permits).toEqual([ended.next.id]);
});

describe('a task past its deadline', () => {
  const expires_at = '2025-12-31T23:51:00.000Z';
  const unavailable = { outcome: 'unavailable', cause: 'ETIMEDOUT', retryable: true, billed: false } as const;
  test.each([
    ['PENDING', { status: 'PENDING' } as const],
    ['RUNNING', { status: 'RUNNING' } as const],
    ['unavailable', unavailable],
  ])('that is %s fails its video with the reason', async (_, answer) => {
    const { video, services } = await running(answer);
    const task = { ...video.task!, expires_at };
    await changeVideo(store.table, video, { set: { task } });
    expect(await checkTask(services, video)).toMatchObject({
      outcome: 'failed',
      error: { code: 'task_expired', retryable: true },
    });
    // Right before the deadline it is still waited for.
    const early = { ...services, table: { ...store.table, now: () => now - 1 } };
    const outcome = checkTask(early, video).then(
      ({ outcome }) => outcome,
      (error: Error) => error.name,
    );
    expect(['running', 'WanUnavailable']).toContain(await outcome);
  });

  test.each(['running', 'archiving'] as const)(
    'does not fail its video when the query was not sent for lack of a slot: %s',
    async (status) => {
      const rateLimited = {
        outcome: 'throttled',
        code: 'rate_limited_here',
        message: '',
        retryable: true,
        billed: false,
      } as const;
      const { video, services } = await running(rateLimited, { status });
      await changeVideo(store.table, video, { set: { task: { ...video.task!, expires_at } } });
      await expect(checkTask(services, video)).rejects.toThrow(expect.objectContaining({ name: 'WanThrottled' }));
    },
  );

  test('that has succeeded is archived', async () => {
    const { video, services } = await running({ status: 'SUCCEEDED', video_url: 'https://x' });
    await changeVideo(store.table, video, { set: { task: { ...video.task!, expires_at } } });
    expect(await checkTask(services, video)).toMatchObject({ outcome: 'succeeded' });
  });
});

test('records the detection lag once and learns the duration', async () => {
  const measured: unknown[][] = [];
  const answer = { status: 'SUCCEEDED', video_url: 'https://x', end_time: '2026-01-01T00:00:57.500Z' } as const;
  const { video, services } = await running(answer);
  const measuring = { ...services, recordMetric: (...figure: unknown[]) => void measured.push(figure) };
  await checkTask(measuring, video);
  await checkTask(measuring, video);
  expect(measured).toEqual([['DetectionLag', 2.5, { model: video.model }]]);
  // A tenth of the way from 100 s to 57.5 s, once.
  expect(await typicalSecondsOf(store.table, video, 100)).toBeCloseTo(95.75, 3);
});

test("limits a duration to now when Wan's clock is ahead", async () => {
  const answer = { status: 'SUCCEEDED', video_url: 'https://x', end_time: '2026-01-01T09:00:00.000Z' } as const;
  const { video, services } = await running(answer);
  await checkTask(services, video);
  expect(await typicalSecondsOf(store.table, video, 100)).toBeCloseTo(96, 3);
});
