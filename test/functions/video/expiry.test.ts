import { beforeEach, describe, expect, test } from 'vitest';
import { replaceWithTombstone } from '../../../functions/video/deletion.ts';
import { keys } from '../../../functions/video/keys.ts';
import { listVideos } from '../../../functions/video/list.ts';
import type { Source, Status, VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo, readVideo } from '../../../functions/video/store.ts';
import { getItem, type Table } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { anApi, body } from '../api/support.ts';

const day = 24 * 3600_000;
const start = Date.parse('2026-01-01T00:00:00Z');
let now = start;
const store = startTable(() => now);
const keeping = (videoRetentionDays: number | undefined): Table => ({ ...store.table, videoRetentionDays });
beforeEach(() => {
  now = start;
});

const fromDrop: Source = { type: 'drop', bucket: 'uploads', key: 'drop/cat.png' };
const fromManifest: Source = { type: 'manifest', line: 1, bucket: 'uploads', key: 'drop/manifest.jsonl' };

/** Stores a video in progress and ends it. */
async function ended(table: Table, to: Status, given: Partial<VideoRecord> = {}): Promise<VideoRecord> {
  const video = aVideo({ status: to === 'succeeded' ? 'archiving' : 'submitting', run: 1, ...given });
  await createVideo(store.table, video);
  return (await changeStatus(table, video, to))!;
}
const ttlOf = async ({ id }: VideoRecord) => (await getItem<{ ttl?: number }>(store.table, keys.video(id)))?.ttl;

describe('with a retention time of 10 days', () => {
  test.each<[Status, string | undefined]>([
    ['succeeded', '2026-01-11T00:00:00.000Z'],
    ['failed', undefined],
    ['canceled', undefined],
  ])('a %s video of the API expires: its file, then its record', async (status, expires_at) => {
    const video = await ended(keeping(10), status);
    expect(video.expires_at).toBe(expires_at);
    expect(await ttlOf(video)).toBe((start + 40 * day) / 1000);
    expect(await readVideo(store.table, video.id)).toEqual(video);
  });

  test.each([fromDrop, fromManifest])('only the file of a video from the drop folder expires: %j', async (source) => {
    const video = await ended(keeping(10), 'succeeded', { source });
    expect(video.expires_at).toBe('2026-01-11T00:00:00.000Z');
    expect(await ttlOf(video)).toBeUndefined();
    now += 1000 * day;
    expect(await readVideo(store.table, video.id)).toEqual(video);
  });

  test('a video that is restarted loses both ends, and gets new ones when it ends again', async () => {
    const failed = await ended(keeping(10), 'failed');
    now += 5 * day;
    const queued = (await changeStatus(keeping(10), failed, 'queued'))!;
    expect(await ttlOf(queued)).toBeUndefined();
    now += 100 * day;
    expect(await readVideo(store.table, queued.id)).toEqual(queued);
    await changeStatus(keeping(10), queued, 'canceled');
    expect(await ttlOf(queued)).toBe((start + (105 + 40) * day) / 1000);
  });
});

test('without a retention time nothing expires', async () => {
  const video = await ended(keeping(undefined), 'succeeded');
  expect(video).not.toHaveProperty('expires_at');
  expect(await ttlOf(video)).toBeUndefined();
});

describe('an expired record, which DynamoDB has not deleted yet,', () => {
  test('is neither read nor listed', async () => {
    const owner = 'expiring';
    const video = await ended(keeping(10), 'succeeded', { owner });
    const kept = await ended(keeping(undefined), 'succeeded', { owner });
    now += 40 * day - 1000;
    expect((await listVideos(store.table, { owner, limit: 10 })).videos).toHaveLength(2);
    now += 1000;
    expect(await getItem(store.table, keys.video(video.id))).toBeDefined();
    expect(await readVideo(store.table, video.id)).toBeUndefined();
    expect((await listVideos(store.table, { owner, limit: 10 })).videos.map(({ id }) => id)).toEqual([kept.id]);
  });

  test.each(['record', 'tombstone'])('does not prevent that its id is used again: %s', async (kind) => {
    const video = await ended(keeping(kind === 'record' ? 10 : undefined), 'succeeded');
    if (kind === 'tombstone') await replaceWithTombstone(store.table, video);
    now += (kind === 'record' ? 40 : 30) * day - 1000;
    const again = { ...video, status: 'queued' as const };
    expect(await createVideo(store.table, again)).toMatchObject({
      outcome: kind === 'record' ? 'existing' : 'deleted',
    });
    now += 1000;
    expect(await createVideo(store.table, again)).toMatchObject({ outcome: 'created' });
    expect(await ttlOf(again)).toBeUndefined();
  });
});

test('a repeated request gets the expired video for 30 days and pays nothing; only then a new one', async () => {
  const api = anApi(store.table);
  const post = () => api.submit({ body: body(), headers: { 'Idempotency-Key': 'expiring' } });
  const { id } = (await post()).body as { id: string };
  let video = (await readVideo(store.table, id))!;
  for (const status of ['submitting', 'running', 'archiving', 'succeeded'] as const)
    video = (await changeStatus(keeping(1), video, status))!;
  for (const days of [1, 29]) {
    now += days * day;
    expect(await post()).toMatchObject({ status: 200, body: { id, status: 'succeeded' } });
  }
  now += day;
  expect(await post()).toMatchObject({ status: 202, body: { id, status: 'queued' } });
  expect(api.dispatched).toEqual([id, id]);
});
