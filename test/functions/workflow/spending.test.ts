import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readSpending, reserveSpending, settleSpending } from '../../../functions/ledger/spending.ts';
import { resumeWhenDead, sweep } from '../../../functions/maintenance/sweep.ts';
import { type Dispatcher, dispatch, releaseAndDispatch } from '../../../functions/queue/dispatch.ts';
import { claimPermit, readModelQueue, releasePermit } from '../../../functions/queue/model-queue.ts';
import { replaceWithTombstone } from '../../../functions/video/deletion.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo, readVideo } from '../../../functions/video/store.ts';
import { explainEnding } from '../../../functions/wan/failures.ts';
import { type CheckTaskServices, checkTask } from '../../../functions/workflow/check-task.ts';
import { type CreateTaskServices, createTask } from '../../../functions/workflow/create-task.ts';
import { recordFailure } from '../../../functions/workflow/record-failure.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import {
  Crash,
  crashAfter,
  crashingTable,
  limitsByClock,
  scriptedExecutions,
  scriptedWan,
  servicesFor,
} from './support.ts';

const model = 'wan2.2-i2v-plus';
const clock = { now: 0 };
let store: ReturnType<typeof startTable>;
let owners = 0;
// A new table for each test, because all use the queue of the same model.
beforeEach(() => {
  clock.now = Date.parse('2026-01-01T00:00:00Z');
  store = startTable(() => clock.now);
  limitsByClock(clock);
});
afterEach(() => vi.restoreAllMocks());

const estimated_cost = { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5, as_of: '2025-12-29' } as const;

/** Returns the workflow of an owner with a spending limit, and a Wan whose tasks all succeed. */
function scripted(limit?: number, permits = 2) {
  const owner = `owner-${++owners}`;
  const { executions, workflow } = scriptedExecutions();
  const { wan, tasks } = scriptedWan(() => clock.now);
  const dispatcher: Dispatcher = {
    table: store.table,
    workflow,
    limitsOf: () => ({ model, permits, submit_interval_ms: 1 }),
  };
  const creating = servicesFor(store.table, clock, wan, { monthlySpendingLimit: limit });
  const checking: CheckTaskServices = {
    ...dispatcher,
    wan: {
      queryTask: async (task_id) => ({
        outcome: 'task',
        status: 'SUCCEEDED',
        task_id,
        video_url: 'https://x',
        usage: { duration: 5 },
      }),
    },
    configuredSeconds: 60,
    recordMetric: () => undefined,
    onUnknownStatus: () => undefined,
  };
  const add = async (given: Partial<VideoRecord> = {}): Promise<VideoRecord> => {
    const video = aVideo({ owner, model, estimated_cost, ...given }, ++clock.now);
    video.input.prompt = `A cat runs, ${video.id}`;
    await createVideo(store.table, video);
    return video;
  };
  const spending = () => readSpending(store.table, owner, '2026-01');
  return { dispatcher, creating, checking, executions, tasks, add, spending };
}
const now = async ({ id }: VideoRecord) => (await readVideo(store.table, id))!;
const holders = async () => [...(await readModelQueue(store.table, model)).running];

test('fails a video over the limit before Wan is called, unbilled, and passes on its permit', async () => {
  const own = scripted(0.15, 1);
  const [first, second, third] = [await own.add(), await own.add(), await own.add()];
  await dispatch(own.dispatcher, model);
  expect((await createTask(own.creating, await now(first))).outcome).toBe('created');
  await checkTask(own.checking, await now(first));
  expect(await holders()).toEqual([second.id]);
  const output = await createTask(own.creating, await now(second));
  expect(output).toMatchObject({ outcome: 'failed', error: { code: 'spending_limit_reached', billed: false } });
  expect((await now(second)).submission).toMatchObject({ state: 'settled' });
  if (output.outcome === 'failed') await recordFailure(own.dispatcher, output);
  expect(await now(second)).toMatchObject({ status: 'failed', error: { code: 'spending_limit_reached' } });
  expect(await holders()).toEqual([third.id]);
  expect(own.tasks).toHaveLength(1);
  expect(await own.spending()).toMatchObject({ spent: 0.1, reserved: 0, videos: 1 });
});

test('sends only as many concurrent videos as the limit allows', async () => {
  const own = scripted(0.3, 12);
  const videos = await Promise.all(Array.from({ length: 12 }, () => own.add()));
  await dispatch(own.dispatcher, model);
  const outputs = await Promise.all(videos.map(async (video) => createTask(own.creating, await now(video))));
  expect(outputs.filter(({ outcome }) => outcome === 'created')).toHaveLength(3);
  expect(own.tasks).toHaveLength(3);
  expect(await own.spending()).toMatchObject({ spent: 0, reserved: 0.3 });
});

test('a video that returns to its queue releases its reservation', async () => {
  const own = scripted(0.1);
  const [video] = [await own.add(), await own.add()];
  await dispatch(own.dispatcher, model);
  const accountRefused: CreateTaskServices['wan'] = {
    ...own.creating.wan,
    createTask: async () => ({
      outcome: 'account_refused',
      reason: 'arrears',
      retryable: true,
      code: 'X',
      message: '',
      billed: false,
    }),
  };
  await createTask({ ...own.creating, wan: accountRefused }, await now(video));
  expect(await now(video)).toMatchObject({ status: 'queued' });
  expect(await own.spending()).toMatchObject({ spent: 0, reserved: 0 });
});

describe('an ended video is released and counted once', () => {
  const usage = { duration: 5 };
  test.each<[string, Partial<VideoRecord>, number]>([
    ['archiving', { status: 'archiving', usage }, 0.1],
    ['succeeded', { status: 'succeeded', cost: estimated_cost }, 0.1],
    ['failed, billed', { status: 'failed', error: explainEnding('video_lost') }, 0.1],
    ['failed, unbilled', { status: 'failed', error: explainEnding('content_refused') }, 0],
    ['canceled', { status: 'canceled' }, 0],
  ])('after a crash between any two writes: %s', async (_, given, spent) => {
    for (let point = 1; ; point++) {
      const own = scripted(1, 1);
      const video = await own.add({ run: 1, ...given });
      await claimPermit(store.table, await own.dispatcher.limitsOf(model), video);
      await reserveSpending(store.table, video, 1);
      const crashing = crashAfter(point);
      const dying = { ...own.dispatcher, table: crashingTable(store.table, crashing) };
      await releaseAndDispatch(dying, video).catch(() => undefined);
      await sweep(own.dispatcher, [model]);
      expect({ point, holders: await holders() }).toEqual({ point, holders: [] });
      expect({ point, ...(await own.spending()) }).toMatchObject({ point, spent, reserved: 0 });
      if (!crashing.died) {
        expect(point).toBeGreaterThan(3);
        return;
      }
    }
  });
});

test('pays for and counts a video once when its workflow crashes between any two effects and restarts', async () => {
  for (let point = 1; ; point++) {
    // Only this video fits into the limit, so that a leak would block it.
    const own = scripted(0.1, 1);
    const video = await own.add();
    await dispatch(own.dispatcher, model);
    const crashing = crashAfter(point);
    const table = crashingTable(store.table, crashing);
    const run = async (creating: CreateTaskServices, checking: CheckTaskServices) => {
      const record = await now(video);
      if ((await createTask(creating, record)).outcome === 'created') await checkTask(checking, record);
    };
    await run({ ...own.creating, table }, { ...own.checking, table }).catch(() => undefined);
    for (let tries = 0; (await now(video)).status !== 'archiving' && tries < 60; tries++) {
      const { id, run: number } = await now(video);
      own.executions.set(`${id}-${number}`, 'FAILED');
      clock.now += 60_000;
      await resumeWhenDead(own.dispatcher, id);
      await run(own.creating, own.checking).catch(() => undefined);
    }
    await sweep(own.dispatcher, [model]);
    expect({ point, status: (await now(video)).status, holders: await holders(), tasks: own.tasks.length }).toEqual({
      point,
      status: 'archiving',
      holders: [],
      tasks: 1,
    });
    expect({ point, ...(await own.spending()) }).toMatchObject({ point, spent: 0.1, reserved: 0, videos: 1 });
    if (!crashing.died) {
      expect(point).toBeGreaterThan(10);
      return;
    }
  }
});

test('a late failure releases neither permit nor reservation of the next attempt', async () => {
  const own = scripted(1, 1);
  const video = await own.add();
  await dispatch(own.dispatcher, model);
  await reserveSpending(store.table, await now(video), 1);
  const failed = (await changeStatus(store.table, await now(video), 'failed', {
    set: { error: explainEnding('video_lost') },
  }))!;
  // The caller retries the video before its permit is released.
  await settleSpending(store.table, failed);
  const queued = (await changeStatus(store.table, failed, 'queued', { remove: ['error'] }))!;
  const again = (await changeStatus(store.table, queued, 'submitting', { set: { run: queued.run + 1 } }))!;
  await reserveSpending(store.table, again, 1);
  await releaseAndDispatch(own.dispatcher, failed);
  expect(await holders()).toEqual([video.id]);
  expect(await own.spending()).toMatchObject({ spent: 0.1, reserved: 0.1 });
});

test('a deleted video releases its permit and costs nothing more', async () => {
  const own = scripted(1, 1);
  const video = await own.add({ run: 1, status: 'succeeded', cost: estimated_cost });
  await claimPermit(store.table, await own.dispatcher.limitsOf(model), video);
  await reserveSpending(store.table, video, 1);
  await settleSpending(store.table, video);
  await replaceWithTombstone(store.table, video);
  await sweep(own.dispatcher, [model]);
  expect(await holders()).toEqual([]);
  expect(await own.spending()).toMatchObject({ spent: 0.1, reserved: 0 });
});

const throttling = ({ creating }: ReturnType<typeof scripted>): CreateTaskServices['wan'] => ({
  ...creating.wan,
  createTask: async () => ({ outcome: 'throttled', retryable: true, code: 'X', message: '', billed: false }),
});

test.each<[string, (own: ReturnType<typeof scripted>, video: VideoRecord) => Promise<unknown>]>([
  ['canceled', async () => undefined],
  ['canceled and deleted', async (_, video) => replaceWithTombstone(store.table, await now(video))],
  [
    'canceled and retried',
    async (own, video) => {
      await changeStatus(store.table, await now(video), 'queued');
      await dispatch(own.dispatcher, model);
    },
  ],
])('a video that is %s before its task is created leaves no reservation', async (_, then) => {
  // Before each effect of CreateTask.
  for (let point = 1; ; point++) {
    const own = scripted(0.1, 1);
    const video = await own.add();
    await dispatch(own.dispatcher, model);
    const submitting = await now(video);
    let effects = 0;
    const send = async (command: never) => {
      if (++effects === point) {
        // A video with an open ledger cannot be canceled: another invocation settles it later.
        while ((await now(video)).submission?.state === 'open') {
          clock.now += 5000;
          await createTask({ ...own.creating, wan: throttling(own) }, submitting).catch(() => undefined);
        }
        const record = await now(video);
        const canceled =
          record.status === 'submitting' ? await changeStatus(store.table, record, 'canceled') : undefined;
        if (canceled) {
          await releaseAndDispatch(own.dispatcher, canceled);
          await then(own, video);
        }
      }
      return store.table.client.send(command);
    };
    const creating = { ...own.creating, table: { ...store.table, client: { send } as never } };
    await createTask(creating, submitting).catch(() => createTask(own.creating, submitting));
    const again = await readVideo(store.table, video.id);
    // The limit allows one video: the next attempt takes over an existing reservation.
    if (again?.status === 'submitting') await createTask(own.creating, again);
    const after = await readVideo(store.table, video.id);
    const isMade = after?.status === 'running';
    expect({ point, ...(await own.spending()) }).toMatchObject({ point, spent: 0, reserved: isMade ? 0.1 : 0 });
    expect(own.tasks).toHaveLength(isMade ? 1 : 0);
    if (effects < point) {
      expect(point).toBeGreaterThan(6);
      return;
    }
    for (const id of await holders()) await releaseAndDispatch(own.dispatcher, { id, model });
    for (const id of await holders()) await releasePermit(store.table, model, id);
  }
});

test('a late invocation leaves no reservation for a video that was settled meanwhile', async () => {
  // It is frozen before each of its effects while another invocation finishes the video.
  for (let point = 2; ; point++) {
    const own = scripted(1, 1);
    const video = await own.add();
    await dispatch(own.dispatcher, model);
    const submitting = await now(video);
    let effects = 0;
    const send = async (command: never) => {
      if (++effects === point) {
        while ((await now(video)).status === 'submitting') {
          clock.now += 5000;
          await createTask(own.creating, submitting).catch(() => undefined);
        }
        await checkTask(own.checking, submitting);
      }
      return store.table.client.send(command);
    };
    const late = { ...own.creating, table: { ...store.table, client: { send } as never } };
    await createTask(late, submitting).catch(() => createTask(own.creating, submitting));
    await checkTask(own.checking, submitting);
    expect({ point, ...(await own.spending()) }).toMatchObject({ point, spent: 0.1, reserved: 0, videos: 1 });
    if (effects < point) {
      expect(point).toBeGreaterThan(6);
      return;
    }
  }
});

describe('an invocation that was frozen before its reservation', () => {
  /** Runs `meanwhile` before its first read of the owner's month; crashes after the given number of further writes. */
  const late = (
    own: ReturnType<typeof scripted>,
    meanwhile: () => Promise<unknown>,
    writes = Number.POSITIVE_INFINITY,
  ) => {
    let interrupted = false;
    let written = 0;
    const send = async (command: { input: { Key: { pk: string }; UpdateExpression?: string } }) => {
      if (!interrupted && command.input.Key.pk.startsWith('spending#')) {
        interrupted = true;
        await meanwhile();
      }
      if (interrupted && command.input.UpdateExpression && ++written > writes) throw new Crash('dead');
      return store.table.client.send(command as never);
    };
    return { ...own.creating, table: { ...store.table, client: { send } as never } };
  };
  const later = async (own: ReturnType<typeof scripted>, video: VideoRecord, wan = own.creating.wan) => {
    const { attempt } = (await now(video)).submission!;
    for (let tries = 0; tries < 60 && (await now(video)).submission?.state === 'open'; tries++) {
      clock.now += 5000;
      await createTask({ ...own.creating, wan }, { id: video.id, run: 1 }).catch(() => undefined);
    }
    expect((await now(video)).submission!.attempt).toBeGreaterThan(attempt);
  };

  test('does not fail the video that another invocation has sent, although the limit is reached', async () => {
    const own = scripted(0.1);
    const video = await own.add();
    await dispatch(own.dispatcher, model);
    const slow = late(own, () => later(own, video));
    await expect(createTask(slow, await now(video))).rejects.toMatchObject({ name: 'SubmissionUncertain' });
    expect((await now(video)).status).toBe('running');
  });

  test('and crashes with a reservation for a canceled video is cleaned up', async () => {
    const own = scripted(0.1);
    const video = await own.add();
    await dispatch(own.dispatcher, model);
    const submitting = await now(video);
    const cancel = async () => {
      await later(own, video, throttling(own));
      await releaseAndDispatch(own.dispatcher, (await changeStatus(store.table, await now(video), 'canceled'))!);
    };
    // The month's item exists already, so the first write reserves.
    await expect(createTask(late(own, cancel, 1), submitting)).rejects.toThrow(Crash);
    expect(await own.spending()).toMatchObject({ reserved: 0.1 });
    expect(await createTask(own.creating, submitting)).toMatchObject({ outcome: 'settled' });
    expect(await own.spending()).toMatchObject({ spent: 0, reserved: 0 });
  });
});
