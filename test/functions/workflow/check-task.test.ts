import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSpending, reserveSpending } from '../../../functions/ledger/spending.ts';
import { estimateOf } from '../../../functions/polling/duration-estimate.ts';
import { NO_TURN } from '../../../functions/polling/rate-limited-wan.ts';
import { leaseLook, writeLook } from '../../../functions/polling/task-snapshot.ts';
import { claimPermit, readLane } from '../../../functions/queue/model-queue.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeVideo, createVideo, readVideo } from '../../../functions/video/store.ts';
import type { QueryOutcome, Task } from '../../../functions/wan/client/query-task.ts';
import { type CheckTaskServices, checkTask } from '../../../functions/workflow/check-task.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { scriptedExecutions } from './support.ts';

const now = Date.parse('2026-01-01T00:01:00Z');
let store: Awaited<ReturnType<typeof startTable>>;
let lanes = 0;
beforeAll(async () => {
  store = await startTable(() => now);
});
afterAll(() => store.close());

/** A running video with a permit, and another that waits for one. */
async function running(answer: Partial<Task> | Exclude<QueryOutcome, Task>, given: Partial<VideoRecord> = {}) {
  const model = `model-${++lanes}`;
  const submit_time = '2026-01-01T00:00:00.000Z';
  const task = {
    id: 'task-1',
    status: 'PENDING',
    region: 'singapore',
    submit_time,
    expires_at: '2026-01-02T00:00:00.000Z',
    attempts: 1,
  };
  const video = aVideo({ model, status: 'running', run: 1, progress: 10, task, ...given });
  const next = aVideo({ model, owner: 'bob' });
  for (const each of [video, next]) await createVideo(store.table, each);
  const { executions, workflow } = scriptedExecutions();
  const services: CheckTaskServices = {
    table: store.table,
    workflow,
    laneOf: () => ({ model, permits: 1, submit_interval_ms: 1 }),
    wan: {
      queryTask: async () => ({ outcome: 'task', task_id: 'task-1', status: 'RUNNING', ...answer }) as QueryOutcome,
      listTasks: () => Promise.reject(new Error('One task alone needs no list.')),
    },
    configuredSeconds: 100,
    measure: () => undefined,
    random: () => 0.5,
    sleep: async () => undefined,
  };
  await claimPermit(store.table, services.laneOf(model), video);
  const stateAfter = async () => ({
    video: (await readVideo(store.table, video.id))!,
    permits: [...(await readLane(store.table, model)).running],
    started: [...executions.keys()],
  });
  return { video, next, services, stateAfter };
}

test.each(['PENDING', 'RUNNING'] as const)('a task that is %s is looked at again later', async (status) => {
  const { video, services, stateAfter } = await running({ status });
  const output = await checkTask(services, video);
  expect(output).toMatchObject({ outcome: 'running', check_at: '2026-01-01T00:01:04.000Z' });
  const { video: record, permits } = await stateAfter();
  expect(record).toMatchObject({ status: 'running', progress: 58, task: { status } });
  expect(permits).toEqual([video.id]);
});

describe('a task that ended gives its permit to the next video', () => {
  test('SUCCEEDED: the video goes on to its archive', async () => {
    const usage = { duration: 5 };
    const { video, next, services, stateAfter } = await running({ status: 'SUCCEEDED', video_url: 'https://x', usage });
    expect(await checkTask(services, video)).toEqual({ id: video.id, run: 1, outcome: 'succeeded' });
    const { video: record, permits, started } = await stateAfter();
    expect(record).toMatchObject({ status: 'archiving', usage, task: { status: 'SUCCEEDED' } });
    expect(JSON.stringify(record)).not.toContain('https://x');
    expect({ permits, started }).toEqual({ permits: [next.id], started: [`${next.id}-1`] });
    // The state machine may ask again after a crash.
    expect(await checkTask(services, video)).toEqual({ id: video.id, run: 1, outcome: 'succeeded' });
  });

  test('SUCCEEDED: what was set aside for the video is spent by what Wan bills before its permit is free', async () => {
    const estimated_cost = { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5, as_of: '2025-12-29' } as const;
    const answer = { status: 'SUCCEEDED', video_url: 'https://x', usage: { duration: 10 } } as const;
    const { video, services } = await running(answer, { owner: 'spender', estimated_cost });
    await reserveSpending(store.table, video, 1);
    await checkTask(services, video);
    expect(await readSpending(store.table, 'spender', '2026-01')).toMatchObject({ spent: 0.2, reserved: 0, videos: 1 });
  });

  test('SUCCEEDED: the prompt as Wan rewrote it is kept, and nothing is of a task that goes on', async () => {
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

  test('is asked for again before: its video is paid for', async () => {
    const { video, services, stateAfter } = await running({ status: 'UNKNOWN' });
    await expect(checkTask(services, video)).rejects.toThrow(expect.objectContaining({ name: 'TaskUnknown' }));
    expect((await stateAfter()).video.status).toBe('running');
  });
});

test('two looks at once at a task that succeeded both go on to the archive', async () => {
  const { video, services } = await running({ status: 'SUCCEEDED', video_url: 'https://x' });
  const outcomes = await Promise.all([checkTask(services, video), checkTask(services, video)]);
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
});

test.each([
  [{ outcome: 'throttled', retryable: true, code: 'Throttling', message: '', billed: false }, 'WanThrottled'],
  [{ outcome: 'unavailable', cause: 'answer_malformed', retryable: true, billed: false }, 'WanUnavailable'],
  [{ outcome: 'unrecognised', status: 'DREAMING', task_id: 'task-1' }, 'WanUnavailable'],
  [
    { outcome: 'held', reason: 'invalid_key', retryable: true, code: 'InvalidApiKey', message: '', billed: false },
    'WanUnavailable',
  ],
] as const)('%j is asked again, by the name %s', async (answer, name) => {
  const { video, services, stateAfter } = await running(answer);
  await expect(checkTask(services, video)).rejects.toThrow(expect.objectContaining({ name }));
  expect((await stateAfter()).video.status).toBe('running');
});

test('an older run does nothing, and a video that has ended frees its permit', async () => {
  const old = await running({ status: 'SUCCEEDED', video_url: 'https://x' }, { run: 2 });
  expect(await checkTask(old.services, { id: old.video.id, run: 1 })).toMatchObject({ outcome: 'settled' });
  expect((await old.stateAfter()).video.status).toBe('running');
  const ended = await running({}, { status: 'failed' });
  expect(await checkTask(ended.services, ended.video)).toMatchObject({ outcome: 'settled' });
  expect((await ended.stateAfter()).permits).toEqual([ended.next.id]);
});

describe('a task that Wan should have forgotten long since', () => {
  const expires_at = '2025-12-31T23:51:00.000Z';
  const unavailable = { outcome: 'unavailable', cause: 'ETIMEDOUT', retryable: true, billed: false } as const;
  test.each([
    ['PENDING', { status: 'PENDING' } as const],
    ['RUNNING', { status: 'RUNNING' } as const],
    ['not told of', unavailable],
  ])('and is %s is given up, explained', async (_, answer) => {
    const { video, services } = await running(answer);
    const task = { ...video.task!, expires_at };
    await changeVideo(store.table, video, { set: { task } });
    expect(await checkTask(services, video)).toMatchObject({
      outcome: 'failed',
      error: { code: 'task_expired', retryable: true },
    });
    // A moment before, it is still waited for.
    const early = { ...services, table: { ...store.table, now: () => now - 1 } };
    const looked = checkTask(early, video).then(
      ({ outcome }) => outcome,
      (error: Error) => error.name,
    );
    expect(['running', 'WanUnavailable']).toContain(await looked);
  });

  test.each(['running', 'archiving'] as const)(
    'and could not be asked for, for want of a turn, is not given up: %s',
    async (status) => {
      const noTurn = { outcome: 'throttled', code: NO_TURN, message: '', retryable: true, billed: false } as const;
      const { video, services } = await running(noTurn, { status });
      await changeVideo(store.table, video, { set: { task: { ...video.task!, expires_at } } });
      expect(await checkTask(services, video)).toMatchObject({ outcome: 'running' });
    },
  );

  test('and has succeeded all the same is archived', async () => {
    const { video, services } = await running({ status: 'SUCCEEDED', video_url: 'https://x' });
    await changeVideo(store.table, video, { set: { task: { ...video.task!, expires_at } } });
    expect(await checkTask(services, video)).toMatchObject({ outcome: 'succeeded' });
  });
});

test('a question that has no turn is asked a few seconds later, and nothing fails', async () => {
  const noTurn = { outcome: 'throttled', code: NO_TURN, message: '', retryable: true, billed: false } as const;
  const { video, services } = await running(noTurn);
  expect(await checkTask(services, video)).toMatchObject({ outcome: 'running', check_at: '2026-01-01T00:01:03.000Z' });
});

test('a task that never has a turn in 24 hours takes fewer checks than the history of one execution holds', async () => {
  const noTurn = { outcome: 'throttled', code: NO_TURN, message: '', retryable: true, billed: false } as const;
  const { video, services } = await running(noTurn);
  let [at, checks] = [now, 0];
  for (; at < Date.parse(video.task!.expires_at) && checks < 3000; checks++) {
    const table = { ...services.table, now: () => at };
    const output = await checkTask({ ...services, table, random: () => 0 }, video);
    if (output.outcome !== 'running') break;
    at = Date.parse(output.check_at);
  }
  expect(at).toBeGreaterThanOrEqual(Date.parse(video.task!.expires_at));
  // Nine events each, of 25,000.
  expect(checks).toBeLessThan(2700);
});

test('how late an end was noticed is measured once, and what it took is learnt', async () => {
  const measured: unknown[][] = [];
  const answer = { status: 'SUCCEEDED', video_url: 'https://x', end_time: '2026-01-01T00:00:57.500Z' } as const;
  const { video, services } = await running(answer);
  const measuring = { ...services, measure: (...figure: unknown[]) => void measured.push(figure) };
  await checkTask(measuring, video);
  await checkTask(measuring, video);
  expect(measured).toEqual([['DetectionLag', 2.5, { model: video.model }]]);
  const { count, typical_seconds } = await estimateOf(store.table, video, 100);
  expect(count).toBe(1);
  expect(typical_seconds).toBeLessThan(90);
});

test('a task that ended later than now, by a clock of Wan that is ahead, took no longer than until now', async () => {
  const answer = { status: 'SUCCEEDED', video_url: 'https://x', end_time: '2026-01-01T09:00:00.000Z' } as const;
  const { video, services } = await running(answer);
  await checkTask(services, video);
  expect((await estimateOf(store.table, video, 100)).typical_seconds).toBeLessThan(100);
});

describe('where several tasks of a model are at Wan', () => {
  const model = 'wan2.6-i2v';
  /** Two running videos, and a list that tells of the tasks given. */
  async function company(
    listed: { task_id: string; status: string }[],
    submit_time = '2026-01-01T00:00:00.000Z',
    before: (at: number) => Promise<unknown> = async () => undefined,
  ) {
    const { video, services } = await running({ status: 'SUCCEEDED', video_url: 'https://x' });
    const own = { ...video, id: randomUUID(), model, task: { ...video.task!, submit_time } };
    await createVideo(store.table, own);
    for (const id of [own.id, randomUUID()])
      await claimPermit(store.table, { ...services.laneOf(model), model, permits: 99 }, { id, owner: 'alice' });
    let asked = 0;
    looks += 100_000;
    const at = now + looks;
    const table = { ...store.table, now: () => at };
    await before(at);
    const wan: CheckTaskServices['wan'] = {
      queryTask: (id) => {
        asked++;
        return services.wan.queryTask(id);
      },
      listTasks: async () => ({ outcome: 'tasks', tasks: listed, page_no: 1, total_page: 1 }),
    };
    const output = await checkTask({ ...services, table, wan }, own);
    return { output, at, asked: () => asked, record: (await readVideo(store.table, own.id))! };
  }
  let looks = 0;

  test('one that a look shows as going on is not asked for', async () => {
    const { output, asked, record } = await company([
      { task_id: 'task-1', status: 'RUNNING' },
      { task_id: 'task-2', status: 'RUNNING' },
    ]);
    expect(output.outcome).toBe('running');
    expect(asked()).toBe(0);
    expect(record.task?.status).toBe('RUNNING');
  });

  test.each([
    ['is missing from it', []],
    ['stands in it as ended', [{ task_id: 'task-1', status: 'FAILED' }]],
  ])('one that %s is asked for by itself, and only that says that it has ended', async (_, listed) => {
    const { output, asked, record } = await company([...listed, { task_id: 'task-2', status: 'RUNNING' }]);
    expect(output.outcome).toBe('succeeded');
    expect(asked()).toBe(1);
    expect(record.status).toBe('archiving');
  });

  test('one of many waits for the list that another check is reading, and is not asked for meanwhile', async () => {
    const many = new Map(Array.from({ length: 60 }, (_, index) => [`other-${index}`, 'RUNNING' as const]));
    const { output, at, asked } = await company([], undefined, async (at) => {
      const last = await writeLook(store.table, model, at - 12_000, many);
      expect(await leaseLook({ ...store.table, now: () => at - 1000 }, model, last)).toBe(true);
    });
    expect(output.outcome === 'running' && Date.parse(output.check_at) - at).toBeLessThanOrEqual(5000);
    expect(asked()).toBe(0);
  });

  test('one that takes longer than nearly all is asked for by itself, whatever a list says', async () => {
    const { output, asked } = await company([{ task_id: 'task-1', status: 'RUNNING' }], '2025-12-31T23:00:00.000Z');
    expect(output.outcome).toBe('succeeded');
    expect(asked()).toBe(1);
  });
});
