import { beforeEach, describe, expect, test } from 'vitest';
import { videoSchema } from '../../../../functions/api/openapi/video-schema.ts';
import type { ModelLimits } from '../../../../functions/queue/model-queue.ts';
import { claimPermit, pauseQueue, releasePermit } from '../../../../functions/queue/model-queue.ts';
import { createQueuePositionReader } from '../../../../functions/queue/position.ts';
import type { VideoRecord } from '../../../../functions/video/record.ts';
import { changeStatus, createVideo } from '../../../../functions/video/store.ts';
import type { Table } from '../../../../functions/video/table.ts';
import { startTable } from '../../../support/table.ts';
import { aVideo } from '../../../support/videos.ts';
import { anApi, body } from '../support.ts';
import { createActions, storeVideo } from './actions-support.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const clock = { now: start };
const model = 'wan2.2-i2v-plus';
const limits: ModelLimits = { model, permits: 1, submit_interval_ms: 500 };
/** Concurrent tasks at Wan and the duration of each. */
let pace = { concurrent_tasks: 1, seconds: 60 };

const store = startTable(() => clock.now);
let api: ReturnType<typeof anApi>;
/** Queries of the index, and reported errors. */
let queries: number;
let positionErrors: unknown[];
let indexFails: boolean;

const positionReader = (table: Table) =>
  createQueuePositionReader({
    table: {
      ...table,
      client: {
        send: async (command: { constructor: { name: string } }) => {
          if (command.constructor.name !== 'QueryCommand') return table.client.send(command as never);
          queries++;
          if (indexFails) throw new Error('The index failed.');
          return table.client.send(command as never);
        },
      } as Table['client'],
    },
    paceOf: () => pace,
    typicalSeconds: async () => pace.seconds,
    onError: (_, error) => void positionErrors.push(error),
  });

beforeEach(async () => {
  // Expires the snapshot, and empties the queue of earlier tests.
  clock.now += 10_000;
  for (const video of queued.splice(0)) await changeStatus(store.table, video, 'canceled');
  queries = 0;
  positionErrors = [];
  indexFails = false;
  pace = { concurrent_tasks: 1, seconds: 60 };
  api = anApi(store.table, { readQueuePosition: positionReader(store.table) });
  await releasePermit(store.table, model, running?.id ?? 'none');
  running = aVideo({ model, owner: 'zoe', status: 'running' });
  await createVideo(store.table, running);
  await claimPermit(store.table, limits, running);
});

const queued: VideoRecord[] = [];
let running: VideoRecord | undefined;
async function queueVideo(owner: string): Promise<VideoRecord> {
  const video = aVideo({ model, owner }, ++clock.now);
  await createVideo(store.table, video);
  queued.push(video);
  return video;
}
/** @param after seconds */
const onWholeSecond = (time: number, after: number) => new Date(Math.ceil(time / 1000 + after) * 1000).toISOString();

test('returns the queue position of a queued video on every route', async () => {
  await queueVideo('bob');
  await queueVideo('bob');
  const submitted = await api.submit({ body: body() });
  queued.push(aVideo({ id: submitted.body.id, model }));
  expect(submitted).toMatchObject({ status: 202, body: { status: 'queued', queue_position: 1 } });
  expect(submitted.body.estimated_start_at).toBe(onWholeSecond(clock.now, 60));
  expect(videoSchema.safeParse(submitted.body).error?.message).toBeUndefined();
  const { queue_position, estimated_start_at } = submitted.body;
  expect((await api.get({ id: submitted.body.id })).body).toMatchObject({ queue_position, estimated_start_at });
  expect((await api.list({})).body.data[0]).toMatchObject({ queue_position, estimated_start_at });
});

test('returns the queue position after a retry', async () => {
  const actions = createActions(store.table, { send: () => expect.unreachable() } as never, { permits: 1 });
  actions.services.readQueuePosition = positionReader(store.table);
  await queueVideo('bob');
  const failed = await storeVideo(store.table, 'failed', { model, upstream_tasks: 2 });
  const response = await actions.retry(failed.id);
  queued.push({ ...failed, status: 'queued' });
  expect(response).toMatchObject({ status: 202, body: { status: 'queued', queue_position: expect.any(Number) } });
});

test.each(['submitting', 'running', 'archiving', 'succeeded', 'failed', 'canceled'] as const)(
  'reads no queue and returns no position for a %s video',
  async (status) => {
    const video = await storeVideo(store.table, status, { model });
    const { body } = await api.get({ id: video.id });
    expect(body).not.toHaveProperty('queue_position');
    expect(body).not.toHaveProperty('estimated_start_at');
    expect(queries).toBe(0);
  },
);

test('estimates no start before a paused queue resumes', async () => {
  const video = await queueVideo('alice');
  const until = clock.now + 3600_000;
  await pauseQueue(store.table, model, 'arrears', new Date(until).toISOString());
  expect((await api.get({ id: video.id })).body.estimated_start_at).toBe(onWholeSecond(until, 60));
  await pauseQueue(store.table, model, 'arrears', new Date(start).toISOString());
});

test('estimates starts in rounds of concurrent tasks, never earlier for a later position', async () => {
  pace = { concurrent_tasks: 3, seconds: 100 };
  const videos = [];
  for (let count = 0; count < 7; count++) videos.push(await queueVideo(count % 2 ? 'alice' : 'bob'));
  clock.now += 10_000;
  const positions = await Promise.all(videos.map(positionReader(store.table)));
  const starts = positions
    .toSorted((one, other) => one!.queue_position - other!.queue_position)
    .map((position) => position!.estimated_start_at);
  expect(starts).toEqual([100, 100, 100, 200, 200, 200, 300].map((seconds) => onWholeSecond(clock.now, seconds)));
});

test('shares one snapshot of the queue for five seconds', async () => {
  const videos = [await queueVideo('alice'), await queueVideo('alice'), await queueVideo('alice')];
  for (const { id } of videos) await api.get({ id });
  await api.list({});
  expect(queries).toBe(1);
  clock.now += 5000;
  await api.get({ id: videos[0]!.id });
  expect(queries).toBe(2);
});

test('takes a new snapshot for a video that the current one lacks', async () => {
  const positions: number[] = [];
  for (let times = 0; times < 4; times++) {
    const { id } = await queueVideo('alice');
    positions.push((await api.get({ id })).body.queue_position);
  }
  expect(positions).toEqual([1, 2, 3, 4]);
  expect(queries).toBe(4);
});

test('shares a new snapshot between concurrent requests', async () => {
  const readPosition = positionReader(store.table);
  await readPosition(await queueVideo('alice'));
  const several = [await queueVideo('alice'), await queueVideo('alice'), await queueVideo('alice')];
  expect((await Promise.all(several.map(readPosition))).map((each) => each?.queue_position)).toEqual([2, 3, 4]);
  expect(queries).toBe(2);
});

test('omits the position when the queue cannot be read, and waits before the next attempt', async () => {
  indexFails = true;
  const video = await queueVideo('alice');
  for (let times = 0; times < 2; times++) {
    const response = await api.get({ id: video.id });
    expect(response).toMatchObject({ status: 200, body: { status: 'queued' } });
    expect(response.body).not.toHaveProperty('queue_position');
  }
  expect({ queries, positionErrors: positionErrors.length }).toEqual({ queries: 1, positionErrors: 2 });
  expect((await api.list({})).status).toBe(200);
});

test('returns a Retry-After that grows with the expected wait', async () => {
  pace.seconds = 10;
  const videos = [await queueVideo('alice'), await queueVideo('alice')];
  clock.now += 10_000;
  const seconds = async ({ id }: VideoRecord) => Number((await api.get({ id })).headers['retry-after']);
  expect(await seconds(videos[0]!)).toBeLessThanOrEqual(6);
  pace.seconds = 60;
  expect(await seconds(videos[1]!)).toBe(30);
});

test('keeps the ETag while only the estimated start changes', async () => {
  const { id } = await queueVideo('alice');
  const before = await api.get({ id });
  clock.now += 20_000;
  const after = await api.get({ id });
  expect(Date.parse(after.body.estimated_start_at) - Date.parse(before.body.estimated_start_at)).toBe(20_000);
  expect(after.headers.etag).toBe(before.headers.etag);
});

describe('after the queue has moved', () => {
  /** Queues a video behind another one, reads it and cancels the one ahead. */
  async function moveQueue() {
    const ahead = await queueVideo('alice');
    const video = await queueVideo('alice');
    const before = await api.get({ id: video.id });
    await changeStatus(store.table, ahead, 'canceled');
    clock.now += 5000;
    return { video, before, etag: before.headers.etag! };
  }

  test('the ETag changes and the old one gets the new position', async () => {
    const { video, before, etag } = await moveQueue();
    const after = await api.get({ id: video.id, headers: { 'if-none-match': etag } });
    expect(after).toMatchObject({ status: 200, body: { queue_position: before.body.queue_position - 1 } });
    expect(after.headers.etag).not.toBe(etag);
    const again = await api.get({ id: video.id, headers: { 'if-none-match': after.headers.etag! } });
    expect(again.status).toBe(304);
  });

  test('a long poll does not end', async () => {
    const { video, etag } = await moveQueue();
    let slept = 0;
    const polling = anApi(store.table, {
      readQueuePosition: positionReader(store.table),
      sleep: async (milliseconds) => {
        slept += milliseconds;
        clock.now += milliseconds;
      },
    });
    await polling.get({ id: video.id, query: { wait: '3' }, headers: { 'if-none-match': etag } });
    expect(slept).toBe(3000);
  });

  test.each(['cancel', 'remove'] as const)(
    'If-Match with the old ETag still allows to %s the video',
    async (action) => {
      const { video, etag } = await moveQueue();
      const actions = createActions(store.table, { send: async () => ({ Versions: [] }) } as never);
      const response = await actions[action](video.id, { headers: { 'if-match': etag } });
      expect(response.status).toBe(action === 'cancel' ? 200 : 204);
      expect((await actions[action](video.id, { headers: { 'if-match': '"another"' } })).status).not.toBe(200);
    },
  );
});
