import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { firstOfEachOwner, idsInStatus } from '../../../functions/queue/waiting.ts';
import { closeTombstone, readTombstone, replaceWithTombstone } from '../../../functions/video/deletion.ts';
import { keys } from '../../../functions/video/keys.ts';
import { listVideos } from '../../../functions/video/list.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo, readVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const store = startTable(() => now);

const standing = async (given: Partial<VideoRecord> = {}): Promise<VideoRecord> => {
  const video = aVideo(given);
  await createVideo(store.table, video);
  return video;
};
const open = async (): Promise<string[]> => {
  const ids: string[] = [];
  for await (const id of idsInStatus(store.table, 'deleting')) ids.push(id);
  return ids;
};

describe('a deleted video', () => {
  test('leaves nothing of its request, and its tombstone for 30 days', async () => {
    const video = await standing({ input: { prompt: 'a secret wish', img_url: 'https://example.com/secret.png' } });
    expect(await replaceWithTombstone(store.table, video)).toBe(true);
    const { Item } = await store.table.client.send(
      new GetCommand({ TableName: store.table.tableName, Key: { pk: keys.video(video.id) } }),
    );
    expect(JSON.stringify(Item)).not.toContain('secret');
    expect(Item?.ttl).toBe(Date.parse('2026-03-31T12:00:00Z') / 1000);
    expect(await readTombstone(store.table, video.id)).toEqual({
      id: video.id,
      owner: 'alice',
      deleted_at: '2026-03-01T12:00:00.000Z',
    });
  });

  test('is in no list and no queue, and is read as one that never was', async () => {
    const video = await standing({ owner: 'gone', model: 'wan2.1-i2v-plus' });
    await replaceWithTombstone(store.table, video);
    expect(await readVideo(store.table, video.id)).toBeUndefined();
    expect((await listVideos(store.table, { owner: 'gone', limit: 10 })).videos).toEqual([]);
    expect(await firstOfEachOwner(store.table, 'wan2.1-i2v-plus', { started: new Set() })).toEqual([]);
  });

  test('is not made again by a late duplicate of its request', async () => {
    const video = await standing();
    await replaceWithTombstone(store.table, video);
    expect(await createVideo(store.table, video)).toEqual({ outcome: 'deleted' });
    expect(await readVideo(store.table, video.id)).toBeUndefined();
  });

  test('stands among what needs work until its objects are gone', async () => {
    const video = await standing();
    await replaceWithTombstone(store.table, video);
    expect(await open()).toContain(video.id);
    await closeTombstone(store.table, video.id);
    expect(await open()).not.toContain(video.id);
    expect(await readTombstone(store.table, video.id)).toBeDefined();
  });

  test('is no longer moved by whoever still holds its record', async () => {
    const video = await standing();
    await replaceWithTombstone(store.table, video);
    expect(await changeStatus(store.table, video, 'submitting', { set: { run: 1 } })).toBeUndefined();
    expect(await readTombstone(store.table, video.id)).toBeDefined();
  });
});

test('a video that moved on is not buried', async () => {
  const video = await standing();
  await changeStatus(store.table, video, 'submitting', { set: { run: 1 } });
  expect(await replaceWithTombstone(store.table, video)).toBe(false);
  expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'submitting' });
});

test('closing what has no tombstone makes no item', async () => {
  await closeTombstone(store.table, 'never-was');
  expect(await readTombstone(store.table, 'never-was')).toBeUndefined();
});
