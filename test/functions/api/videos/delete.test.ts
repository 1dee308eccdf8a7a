import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stateEtag } from '../../../../functions/api/http/conditional-requests.ts';
import { beginManifest } from '../../../../functions/drops/manifest-item.ts';
import { readSpending } from '../../../../functions/ledger/spending.ts';
import { readModelQueue } from '../../../../functions/queue/model-queue.ts';
import { readTombstone } from '../../../../functions/video/deletion.ts';
import type { VideoRecord } from '../../../../functions/video/record.ts';
import { monthOf } from '../../../../functions/video/record.ts';
import { createVideo, readVideo } from '../../../../functions/video/store.ts';
import type { Table } from '../../../../functions/video/table.ts';
import { startTable } from '../../../support/table.ts';
import { get } from '../../drops/results.ts';
import { versionedBuckets } from '../../versioned-buckets.ts';
import { crashAfter, crashingTable } from '../../workflow/support.ts';
import { anOwner } from '../support.ts';
import { aSubmission, aTask, createActions, read, storeActiveVideo, storeVideo } from './actions-support.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const store = startTable(() => now);
let storage: Awaited<ReturnType<typeof versionedBuckets>>;
let actions: ReturnType<typeof createActions>;
beforeAll(async () => {
  storage = await versionedBuckets();
});
afterAll(() => storage.close());
beforeEach(() => {
  actions = createActions(store.table, storage.s3);
  return () => expect(actions.unexpectedErrors).toEqual([]);
});

/** Stores two versions and a delete marker of the file, and an image, for a video. */
async function withObjects(video: VideoRecord): Promise<VideoRecord> {
  const file = { Bucket: 'videos', Key: `${video.id}/1-1.mp4` };
  for (const Body of ['first', 'second']) await storage.s3.send(new PutObjectCommand({ ...file, Body }));
  await storage.s3.send(new DeleteObjectCommand(file));
  const image = { Bucket: 'uploads', Key: `inputs/${video.id}/image.png`, Body: 'image' };
  await storage.s3.send(new PutObjectCommand(image));
  return video;
}

describe('a deleted video', () => {
  test.each(['queued', 'succeeded', 'failed', 'canceled'] as const)(
    'that was %s leaves a tombstone and no version of any object',
    async (status) => {
      const video = await withObjects(await storeVideo(store.table, status));
      expect(await storage.objectsOf(video.id)).toHaveLength(4);
      const response = await actions.remove(video.id);
      expect(response).toEqual({ status: 204, headers: { 'cache-control': 'no-store' }, body: undefined });
      expect(await readVideo(store.table, video.id)).toBeUndefined();
      expect(await readTombstone(store.table, video.id)).toMatchObject({ id: video.id, owner: 'alice' });
      expect(await storage.objectsOf(video.id)).toEqual([]);
    },
  );

  test('keeps the dropped image and objects with a similar name', async () => {
    const source = { type: 'drop', bucket: 'uploads', key: `drop/${randomUUID()}.png` } as const;
    const video = await storeVideo(store.table, 'succeeded', { source });
    const others = [source.key, `inputs/${video.id}-2/image.png`];
    for (const Key of others) await storage.s3.send(new PutObjectCommand({ Bucket: 'uploads', Key, Body: 'image' }));
    await actions.remove(video.id);
    for (const key of others) expect(await storage.keysBelow('uploads', key)).toEqual([key]);
  });

  test('that was queued releases its permit and reservation to the next one', async () => {
    const owner = anOwner();
    const model = 'wan2.1-i2v-plus';
    const video = await storeActiveVideo(store.table, 'queued', { owner, model });
    const next = await storeVideo(store.table, 'queued', { model });
    actions = createActions(store.table, storage.s3, { permits: 1 });
    await actions.remove(video.id, { owner });
    expect([...(await readModelQueue(store.table, model)).running]).toEqual([next.id]);
    expect(await readSpending(store.table, owner, monthOf(now))).toMatchObject({ reserved: 0, spent: 0 });
  });

  test("stays in its owner's usage", async () => {
    const owner = anOwner();
    const video = await storeActiveVideo(store.table, 'succeeded', { owner, model: 'wan2.1-i2v-turbo' });
    await actions.remove(video.id, { owner });
    expect(await readSpending(store.table, owner, monthOf(now))).toMatchObject({ reserved: 0, spent: 0.1, videos: 1 });
  });

  test('that was retried and canceled meanwhile announces that ending too', async () => {
    const video = await storeVideo(store.table, 'queued');
    actions = createActions(store.table, storage.s3, { permits: 0 });
    await actions.cancel(video.id);
    const published: number[] = [];
    actions.services.publish = async ({ timeline }) => {
      published.push(timeline.length);
      if (published.length > 1) return;
      // Without a free permit the run's number stays the same.
      expect((await actions.retry(video.id)).status).toBe(202);
      expect((await actions.cancel(video.id)).status).toBe(200);
    };
    expect((await actions.remove(video.id)).status).toBe(204);
    expect(published).toEqual([2, 4]);
  });

  test('is deleted completely by a repeated request after a crash at any point', async () => {
    for (let point = 1; ; point++) {
      const video = await withObjects(await storeVideo(store.table, 'succeeded'));
      const crashing = crashAfter(point);
      const crashingActions = createActions(crashingTable(store.table, crashing), {
        send: (command: never) => crashing.through(() => storage.s3.send(command)),
      } as never);
      await crashingActions.remove(video.id);
      expect({ point, ...(await actions.remove(video.id)) }).toMatchObject({ point, status: 204 });
      expect({ point, objects: await storage.objectsOf(video.id) }).toEqual({ point, objects: [] });
      expect(await readTombstone(store.table, video.id)).toBeDefined();
      if (crashing.died) continue;
      expect(point).toBeGreaterThan(8);
      return;
    }
  });
});

describe('a line of a manifest', () => {
  const aLine = async (status: 'queued' | 'failed') => {
    const upload = { bucket: 'uploads', key: `drop/${randomUUID()}/manifest.jsonl`, version_id: 'v1' };
    await beginManifest(store.table, upload, [1], undefined);
    const video = await storeVideo(store.table, status, { source: { type: 'manifest', ...upload, line: 1 } });
    const read = async (name: string) =>
      JSON.parse((await get(storage.s3, 'uploads', `${upload.key}.results/${name}.json`))?.text ?? '{}') as object;
    return { video, read };
  };

  test.each([
    ['queued', 'canceled'],
    ['failed', 'failed'],
  ] as const)('whose video was %s gets its result before the deletion, as %s', async (status, result) => {
    const { video, read } = await aLine(status);
    const etag = stateEtag(video);
    expect((await actions.remove(video.id, { headers: { 'if-match': etag } })).status).toBe(204);
    expect(await readTombstone(store.table, video.id)).toBeDefined();
    expect(await read('000001')).toMatchObject({ id: video.id, status: result });
    expect(await read('summary')).toMatchObject({ lines: 1, [result]: 1 });
  });

  test('keeps its video until its result can be written', async () => {
    const { video, read } = await aLine('queued');
    const failing = createActions(store.table, { send: () => Promise.reject(new Error('SlowDown')) } as never);
    expect((await failing.remove(video.id)).status).toBe(500);
    expect(failing.unexpectedErrors).toHaveLength(1);
    expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'canceled' });
    expect((await actions.remove(video.id)).status).toBe(204);
    expect(await read('summary')).toMatchObject({ canceled: 1 });
  });
});

test.each([
  ['submitting', 'video_is_starting', /cancel/],
  ['running', 'video_is_running', /is billed when it is done/],
  ['archiving', 'video_is_archiving', /has been billed/],
] as const)('refuses to delete a video that is %s', async (status, code, detail) => {
  const video = await storeVideo(store.table, status, { task: aTask('RUNNING'), submission: aSubmission('settled') });
  const response = await actions.remove(video.id);
  expect(response).toMatchObject({ status: 409, body: { code } });
  expect(response.body.detail).toMatch(detail);
  expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
  expect(await read(store.table, video)).toEqual(video);
});

describe('If-Match', () => {
  test('deletes only the given state and ignores If-Match after the deletion', async () => {
    const video = await storeVideo(store.table, 'failed');
    const stale = await actions.remove(video.id, { headers: { 'if-match': '"another"' } });
    expect(stale).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect(await read(store.table, video)).toEqual(video);
    const headers = { 'if-match': stateEtag(video) };
    expect((await actions.remove(video.id, { headers })).status).toBe(204);
    expect((await actions.remove(video.id, { headers })).status).toBe(204);
  });
});

describe('a video that the caller cannot see', () => {
  const calls: string[] = [];
  const counting = (table: Table): Table => ({
    ...table,
    client: {
      send: (command: { constructor: { name: string } }) => {
        calls.push(command.constructor.name);
        return table.client.send(command as never);
      },
    } as Table['client'],
  });

  test("another owner's video or tombstone gets the response and the table calls of an unknown id", async () => {
    const existing = await storeVideo(store.table, 'succeeded');
    const deleted = await storeVideo(store.table, 'succeeded');
    await actions.remove(deleted.id);
    const recorded = createActions(counting(store.table), storage.s3);
    const results = [];
    for (const id of [randomUUID(), existing.id, deleted.id]) {
      calls.length = 0;
      results.push({ response: await recorded.remove(id, { owner: 'mallory' }), calls: [...calls] });
    }
    expect(results[0]!.response).toMatchObject({ status: 404, body: { code: 'video_not_found' } });
    expect(results).toEqual([results[0], results[0], results[0]]);
    expect(await read(store.table, existing)).toEqual(existing);
  });

  test.each(['', 'x', '..', 'a'.repeat(5000)])('reads nothing for an invalid id (%#)', async (id) => {
    calls.length = 0;
    expect((await createActions(counting(store.table), storage.s3).remove(id)).status).toBe(404);
    expect(calls).toEqual([]);
  });
});

test('a late duplicate of the request does not create the video again', async () => {
  const video = await storeVideo(store.table, 'succeeded');
  await actions.remove(video.id);
  expect(await createVideo(store.table, video)).toEqual({ outcome: 'deleted' });
});
