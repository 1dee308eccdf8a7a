import { beforeEach, describe, expect, test } from 'vitest';
import { waitForChange } from '../../../../functions/api/videos/long-poll.ts';
import { replaceWithTombstone } from '../../../../functions/video/deletion.ts';
import { isTerminal, type Status, type VideoRecord } from '../../../../functions/video/record.ts';
import { changeStatus, changeVideo, createVideo } from '../../../../functions/video/store.ts';
import { startTable } from '../../../support/table.ts';
import { aTask, aVideo } from '../../../support/videos.ts';
import { anApi } from '../support.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const clock = { now: start };
const store = startTable(() => clock.now);
/** Actions that run during a sleep, `after` milliseconds after the request. */
let actions: { after: number; run: () => Promise<unknown> }[];
let slept: number[];
beforeEach(() => {
  clock.now = start;
  actions = [];
  slept = [];
});

async function sleep(milliseconds: number): Promise<void> {
  slept.push(milliseconds);
  clock.now += milliseconds;
  for (const action of actions.filter(({ after }) => start + after <= clock.now)) {
    actions.splice(actions.indexOf(action), 1);
    await action.run();
  }
}

const waited = () => slept.reduce((sum, each) => sum + each, 0);
const at = (after: number, run: () => Promise<unknown>) => void actions.push({ after, run });

async function storeVideo(status: Status, overrides: Partial<VideoRecord> = {}): Promise<VideoRecord> {
  const video = aVideo({ status, ...overrides });
  await createVideo(store.table, video);
  return video;
}

const get = (id: string, wait: string | undefined, headers: Record<string, string> = {}) =>
  anApi(store.table, { sleep }).get({ id, headers, ...(wait === undefined ? {} : { query: { wait } }) });

describe('GET /videos/{id} with wait', () => {
  test('answers soon after the status changes', async () => {
    const video = await storeVideo('queued');
    at(3000, () => changeStatus(store.table, video, 'submitting'));
    expect(await get(video.id, '20')).toMatchObject({ status: 200, body: { status: 'submitting' } });
    expect(waited()).toBeGreaterThanOrEqual(3000);
    expect(waited()).toBeLessThan(4000);
  });

  test('returns the current video when the time is up, and never later', async () => {
    const video = await storeVideo('running', { task: aTask({ status: 'PENDING' }) });
    at(500, () => changeVideo(store.table, video, { set: { task: aTask({ status: 'RUNNING' }) } }));
    expect(await get(video.id, '25')).toMatchObject({
      status: 200,
      body: { status: 'running', task: { status: 'RUNNING' }, progress: 30 },
    });
    expect(waited()).toBe(25_000);
  });

  test('polls often at first, then each second', async () => {
    const { id } = await storeVideo('running');
    await get(id, '25');
    expect(slept[0]).toBe(250);
    const whole = slept.slice(0, -1);
    expect(whole.every((each, index) => each >= (whole[index - 1] ?? 0) && each <= 1000)).toBe(true);
    expect(slept.length).toBeGreaterThan(25);
    expect(slept.length).toBeLessThan(35);
  });

  test.each(['succeeded', 'failed', 'canceled'] as const)('answers immediately for a %s video', async (status) => {
    const { id } = await storeVideo(status);
    expect(await get(id, '25')).toMatchObject({ status: 200, body: { status } });
    expect(slept).toEqual([]);
  });

  test.each([undefined, '0', '00'])('does not wait for %s seconds', async (wait) => {
    const { id } = await storeVideo('running');
    expect((await get(id, wait)).status).toBe(200);
    expect(slept).toEqual([]);
  });

  test('answers immediately if the ETag is outdated', async () => {
    const { id } = await storeVideo('running');
    expect((await get(id, '25', { 'if-none-match': '"older"' })).status).toBe(200);
    expect(slept).toEqual([]);
  });

  test('waits if the ETag is current: 304 without a change, otherwise the changed video', async () => {
    const video = await storeVideo('queued');
    const { etag } = (await get(video.id, undefined)).headers;
    const headers = { 'if-none-match': etag! };
    expect(await get(video.id, '2', headers)).toMatchObject({ status: 304, headers: { etag }, body: undefined });
    expect(waited()).toBe(2000);
    at(2500, () => changeStatus(store.table, video, 'submitting'));
    expect(await get(video.id, '25', headers)).toMatchObject({ status: 200, body: { status: 'submitting' } });
    expect(waited()).toBeLessThan(4000);
  });

  test('answers 404 when the video is deleted while it waits', async () => {
    const video = await storeVideo('queued');
    at(1000, () => replaceWithTombstone(store.table, video));
    const response = await get(video.id, '25');
    expect(response).toEqual(await get(aVideo().id, '25'));
    expect(response.status).toBe(404);
    expect(waited()).toBeLessThan(2000);
  });

  test.each(['26', '-1', '1.5', '1e1', '', ' 5', '5s', '999', 'Infinity'])(
    'answers "%s" seconds with 400',
    async (wait) => {
      const { id } = await storeVideo('running');
      expect(await get(id, wait)).toMatchObject({
        status: 400,
        body: { code: 'invalid_query', errors: [{ pointer: '/wait' }] },
      });
    },
  );
});

test('waits for any condition, such as a terminal status', async () => {
  const video = await storeVideo('queued');
  at(1000, () => changeStatus(store.table, video, 'submitting'));
  at(5000, () => changeStatus(store.table, { ...video, status: 'submitting' }, 'failed'));
  const until = ({ status }: VideoRecord) => isTerminal(status);
  const ended = await waitForChange(store.table, video, { seconds: 25, until, sleep });
  expect(ended?.status).toBe('failed');
  expect(waited()).toBeLessThan(6100);
  const calls = slept.length;
  expect(await waitForChange(store.table, ended!, { seconds: 25, until, sleep })).toBe(ended);
  expect(slept.length).toBe(calls);
});
