import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { firstOfEachOwner, idsInStatus } from '../../../functions/queue/waiting.ts';
import { closeTombstone, readTombstone, replaceWithTombstone } from '../../../functions/video/deletion.ts';
import { keys } from '../../../functions/video/keys.ts';
import { listVideos } from '../../../functions/video/list.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo, readVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { aVideo, firstFrame } from '../../support/videos.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const store = startTable(() => now);

const createRecord = async (given: Partial<VideoRecord> = {}): Promise<VideoRecord> => {
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
  test('leaves only a tombstone for 30 days, without its request', async () => {
    const video = await createRecord({
      input: { prompt: 'a secret prompt', media: firstFrame('https://example.com/secret.png') },
    });
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

  test('is in no list and no queue, and reads as nonexistent', async () => {
    const video = await createRecord({ owner: 'gone', model: 'wan2.1-i2v-plus' });
    await replaceWithTombstone(store.table, video);
    expect(await readVideo(store.table, video.id)).toBeUndefined();
    expect((await listVideos(store.table, { owner: 'gone', limit: 10 })).videos).toEqual([]);
    expect(await firstOfEachOwner(store.table, 'wan2.1-i2v-plus', { started: new Set() })).toEqual([]);
  });

  test('is not created again by a late duplicate of its request', async () => {
    const video = await createRecord();
    await replaceWithTombstone(store.table, video);
    expect(await createVideo(store.table, video)).toEqual({ outcome: 'deleted' });
    expect(await readVideo(store.table, video.id)).toBeUndefined();
  });

  test('stays in the status index until its objects are deleted', async () => {
    const video = await createRecord();
    await replaceWithTombstone(store.table, video);
    expect(await open()).toContain(video.id);
    await closeTombstone(store.table, video.id);
    expect(await open()).not.toContain(video.id);
    expect(await readTombstone(store.table, video.id)).toBeDefined();
  });

  test('cannot be changed by a process with its old record', async () => {
    const video = await createRecord();
    await replaceWithTombstone(store.table, video);
    expect(await changeStatus(store.table, video, 'submitting', { set: { run: 1 } })).toBeUndefined();
    expect(await readTombstone(store.table, video.id)).toBeDefined();
  });
});

test('does not replace a video whose status has changed', async () => {
  const video = await createRecord();
  await changeStatus(store.table, video, 'submitting', { set: { run: 1 } });
  expect(await replaceWithTombstone(store.table, video)).toBe(false);
  expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'submitting' });
});

test('closing a missing tombstone creates no item', async () => {
  await closeTombstone(store.table, 'never-was');
  expect(await readTombstone(store.table, 'never-was')).toBeUndefined();
});
