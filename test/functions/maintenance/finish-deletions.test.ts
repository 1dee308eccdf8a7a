import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type DeletionServices, finishDeletions } from '../../../functions/maintenance/finish-deletions.ts';
import { idsInStatus } from '../../../functions/queue/waiting.ts';
import { readTombstone, replaceWithTombstone } from '../../../functions/video/deletion.ts';
import { createVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { versionedBuckets } from '../versioned-buckets.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const clock = { now: start };
let store: ReturnType<typeof startTable>;
let storage: Awaited<ReturnType<typeof versionedBuckets>>;
let services: DeletionServices;
beforeAll(async () => {
  storage = await versionedBuckets();
});
afterAll(() => storage.close());
beforeEach(() => {
  clock.now = start;
  store = startTable(() => clock.now);
  services = { table: store.table, s3: storage.s3, videosBucket: 'videos', uploadsBucket: 'uploads' };
});

const put = (id: string) =>
  storage.s3.send(new PutObjectCommand({ Bucket: 'videos', Key: `${id}/1-1.mp4`, Body: 'a video' }));
async function deletedVideo(): Promise<string> {
  const video = aVideo({ status: 'succeeded' });
  await createVideo(store.table, video);
  await replaceWithTombstone(store.table, video);
  await put(video.id);
  return video.id;
}
const open = async () => {
  const ids: string[] = [];
  for await (const id of idsInStatus(store.table, 'deleting')) ids.push(id);
  return ids;
};
const later = (seconds: number) => {
  clock.now = start + seconds * 1000;
};

test('deletes objects that a crash after the tombstone left, and keeps the tombstone open', async () => {
  const id = await deletedVideo();
  expect(await finishDeletions(services)).toEqual([]);
  expect(await storage.objectsOf(id)).toEqual([]);
  expect(await open()).toEqual([id]);
});

test('deletes objects of a late archive after an hour, closes the tombstone and keeps it', async () => {
  const id = await deletedVideo();
  later(3599);
  expect(await finishDeletions(services)).toEqual([]);
  await put(id);
  later(3600);
  expect(await finishDeletions(services)).toEqual([id]);
  expect(await storage.objectsOf(id)).toEqual([]);
  expect(await open()).toEqual([]);
  expect(await readTombstone(store.table, id)).toBeDefined();
  expect(await finishDeletions(services)).toEqual([]);
});

test('does not query S3 between the first minutes and that hour', async () => {
  await deletedVideo();
  services.s3 = { send: () => expect.unreachable() };
  later(30 * 60);
  expect(await finishDeletions(services)).toEqual([]);
});

test('an error with one video does not stop the others, and is reported', async () => {
  const ids = [await deletedVideo(), await deletedVideo(), await deletedVideo()];
  const [broken, ...others] = ids;
  const send = async (command: { input: { Prefix?: string } }) => {
    if (command.input.Prefix?.includes(broken!)) throw new Error('S3 is unavailable.');
    return storage.s3.send(command as never);
  };
  services.s3 = { send } as never;
  later(4000);
  await expect(finishDeletions(services)).rejects.toMatchObject({
    errors: [expect.objectContaining({ message: 'S3 is unavailable.' })],
  });
  expect(await open()).toEqual([broken]);
  for (const id of others) expect(await storage.objectsOf(id)).toEqual([]);
});
