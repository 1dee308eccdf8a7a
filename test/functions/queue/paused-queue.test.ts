import { beforeEach, expect, test } from 'vitest';
import { resumeWhenDead } from '../../../functions/maintenance/sweep.ts';
import { type Dispatcher, dispatch } from '../../../functions/queue/dispatch.ts';
import {
  claimPermit,
  isPaused,
  pauseQueue,
  readModelQueue,
  resumeQueue,
} from '../../../functions/queue/model-queue.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo, readVideo } from '../../../functions/video/store.ts';
import { createTask } from '../../../functions/workflow/create-task.ts';
import { recordFailure } from '../../../functions/workflow/record-failure.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { scriptedExecutions, scriptedWan, servicesFor } from '../workflow/support.ts';

const model = 'wan2.2-i2v-flash';
const permits = 7;
const clock = { now: 0 };
let store: ReturnType<typeof startTable>;
let executions: ReturnType<typeof scriptedExecutions>['executions'];
let dispatcher: Dispatcher;
let videos: VideoRecord[];

beforeEach(async () => {
  clock.now = Date.parse('2026-01-01T00:00:00Z');
  store = startTable(() => clock.now);
  const scripted = scriptedExecutions();
  executions = scripted.executions;
  const { workflow } = scripted;
  dispatcher = { table: store.table, workflow, limitsOf: () => ({ model, permits, submit_interval_ms: 1 }) };
  videos = Array.from({ length: 10 }, (_, index) => aVideo({ model, owner: `owner-${index % 3}` }, clock.now + index));
  for (const video of videos) await createVideo(store.table, video);
});

/** Runs createTask for all new executions. */
async function play(wan: 'refuses' | 'serves'): Promise<number> {
  const scripted = scriptedWan(() => clock.now).wan;
  const services = servicesFor(store.table, clock, scripted, {
    ...dispatcher,
    ...(wan === 'refuses'
      ? {
          wan: {
            ...scripted,
            createTask: async () =>
              ({
                outcome: 'account_refused',
                reason: 'arrears',
                code: 'Arrearage',
                message: '',
                retryable: true,
                billed: false,
              }) as const,
          },
        }
      : {}),
  });
  const names = [...executions].flatMap(([name, state]) => (state === 'RUNNING' ? [name] : []));
  for (const name of names) {
    await createTask(services, { id: name.slice(0, 36), run: Number(name.slice(37)) });
    executions.set(name, 'SUCCEEDED');
  }
  return names.length;
}
const started = () => [...executions.values()].filter((state) => state === 'RUNNING').length;
const twenty = () => Promise.all(Array.from({ length: 20 }, () => dispatch(dispatcher, model)));

test('probes with one video per minute while Wan refuses the account, then fills all permits', async () => {
  await dispatch(dispatcher, model);
  expect(await play('refuses')).toBe(permits);
  expect(await readModelQueue(store.table, model)).toMatchObject({ pause_reason: 'arrears', running: new Set() });
  expect(await dispatch(dispatcher, model)).toEqual([]);

  for (let minute = 0; minute < 3; minute++) {
    clock.now += 61_000;
    expect(await dispatch(dispatcher, model)).toHaveLength(1);
    expect(await dispatch(dispatcher, model)).toEqual([]);
    expect(await play('refuses')).toBe(1);
    expect(await dispatch(dispatcher, model)).toEqual([]);
  }

  clock.now += 61_000;
  expect(await dispatch(dispatcher, model)).toHaveLength(1);
  expect(await play('serves')).toBe(1);
  const queue = await readModelQueue(store.table, model);
  expect([queue.pause_reason, queue.paused_until]).toEqual([undefined, undefined]);
  // The probe's createTask has dispatched the rest.
  expect(queue.running.size).toBe(permits);
  expect(started()).toBe(permits - 1);
});

test('starts one probe when twenty dispatchers run concurrently', async () => {
  await pauseQueue(store.table, model, 'arrears');
  expect((await twenty()).flat()).toEqual([]);
  for (let minute = 1; minute <= 3; minute++) {
    clock.now += 61_000;
    expect((await twenty()).flat()).toHaveLength(1);
    expect(executions.size).toBe(minute);
  }
});

test('probes again a minute after a probe that crashed', async () => {
  await pauseQueue(store.table, model, 'arrears');
  clock.now += 61_000;
  const dead = {
    ...dispatcher,
    workflow: { ...dispatcher.workflow, client: { send: () => Promise.reject(new Error()) } },
  };
  await expect(dispatch(dead, model)).rejects.toThrow();
  expect(await dispatch(dispatcher, model)).toEqual([]);
  clock.now += 61_000;
  expect(await dispatch(dispatcher, model)).toHaveLength(1);
});

test('a dispatcher with an outdated read of the pause claims nothing', async () => {
  const limits = await dispatcher.limitsOf(model);
  await pauseQueue(store.table, model, 'arrears');
  expect(await claimPermit(store.table, limits, videos[0]!)).toBe(false);
  const paused = await readModelQueue(store.table, model);
  expect(await resumeQueue(store.table, model)).toBe(true);
  expect(await resumeQueue(store.table, model)).toBe(false);
  expect(await claimPermit(store.table, limits, videos[0]!, paused)).toBe(false);
  expect(await claimPermit(store.table, limits, videos[0]!, await readModelQueue(store.table, model))).toBe(true);
});

test('probing for an hour uses up no runs of a video and does not delay its restart', async () => {
  const [first, ...others] = videos;
  for (const video of others) await changeStatus(store.table, (await readVideo(store.table, video.id))!, 'canceled');
  await pauseQueue(store.table, model, 'arrears');
  for (let minute = 0; minute < 60; minute++) {
    clock.now += 61_000;
    expect(await dispatch(dispatcher, model)).toEqual([first!.id]);
    expect(await play('refuses')).toBe(1);
  }
  clock.now += 61_000;
  expect(await dispatch(dispatcher, model)).toEqual([first!.id]);
  executions.set(`${first!.id}-61`, 'FAILED');
  expect(await resumeWhenDead(dispatcher, first!.id)).toBe(true);
  const failure = { id: first!.id, run: 62, error: { Error: 'TypeError' } };
  expect(await recordFailure(dispatcher, failure)).toMatchObject({ outcome: 'requeued' });
});

test('starts no probe while all permits are held, and does not extend the pause', async () => {
  for (const video of videos.slice(0, permits)) await claimPermit(store.table, await dispatcher.limitsOf(model), video);
  await pauseQueue(store.table, model, 'arrears');
  clock.now += 61_000;
  expect(await dispatch(dispatcher, model)).toEqual([]);
  expect(isPaused(await readModelQueue(store.table, model), clock.now)).toBe(false);
});

test('releases the permit of a probe whose video was canceled', async () => {
  await pauseQueue(store.table, model, 'arrears');
  clock.now += 61_000;
  const canceled = (await readVideo(store.table, videos[0]!.id))!;
  await changeStatus(store.table, canceled, 'canceled');
  const gone = { ...dispatcher, table: { ...store.table, client: withoutIndex() } };
  expect(await dispatch(gone, model, { include: canceled })).toEqual([]);
  expect((await readModelQueue(store.table, model)).running.size).toBe(0);
  clock.now += 61_000;
  expect(await dispatch(dispatcher, model)).toHaveLength(1);
});

const withoutIndex = (): Dispatcher['table']['client'] =>
  ({
    send: async (command: { constructor: { name: string } }) =>
      command.constructor.name === 'QueryCommand' ? { Items: [] } : store.table.client.send(command as never),
  }) as never;
