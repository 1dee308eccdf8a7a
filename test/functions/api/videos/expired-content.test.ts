import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { objectExists } from '../../../../functions/api/videos/content.ts';
import type { ObjectVersion, VideoRecord } from '../../../../functions/video/record.ts';
import { createVideo } from '../../../../functions/video/store.ts';
import { startTable } from '../../../support/table.ts';
import { aVideo, storedInput } from '../../../support/videos.ts';
import { put } from '../../drops/results.ts';
import { versionedBuckets } from '../../versioned-buckets.ts';
import { anApi, anArchivedVideo } from '../support.ts';

const end = Date.parse('2026-01-11T00:00:00Z');
let now = 0;
const store = startTable(() => now);
let buckets: Awaited<ReturnType<typeof versionedBuckets>>;
beforeAll(async () => {
  buckets = await versionedBuckets();
});
afterAll(() => buckets.close());
let api: ReturnType<typeof anApi>;
beforeEach(() => {
  now = end - 1;
  api = anApi(store.table, { exists: (object) => objectExists(buckets.s3, object) });
});

/** Stores a succeeded video with its image, file and metadata. */
async function succeeded(given: Partial<VideoRecord> = {}) {
  const video = aVideo(given);
  const object = async (bucket: string, key: string): Promise<ObjectVersion & { version_id: string }> => ({
    bucket,
    key,
    version_id: await put(buckets.s3, bucket, key, 'bytes'),
  });
  const file = await object('videos', `${video.id}/1-1.mp4`);
  const metadata = await object('videos', `${video.id}/1-1.json`);
  const image = await object('uploads', `inputs/${video.id}/a.png`);
  await createVideo(store.table, {
    ...video,
    status: 'succeeded',
    video: { ...anArchivedVideo, ...file },
    ...storedInput({ image: { ...image, content_type: 'image/png', bytes: 5, width: 640, height: 480 } }),
  });
  return { id: video.id, objects: { video: file, metadata, first_frame: image } };
}
const variants = ['video', 'metadata', 'first_frame'] as const;
const gone = {
  status: 410,
  headers: { 'content-type': 'application/problem+json' },
  body: { code: 'content_gone', detail: expect.stringContaining('Nothing is billed again') },
};

describe('GET /videos/{id}/content of a video that expires', () => {
  test('redirects until then; then answers 410, although S3 has not deleted the file yet', async () => {
    const { id } = await succeeded({ expires_at: new Date(end).toISOString() });
    for (const variant of variants)
      expect(await api.content({ id, query: { variant } })).toMatchObject({ status: 302 });
    now = end;
    for (const variant of ['video', 'metadata'])
      expect(await api.content({ id, query: { variant } })).toMatchObject(gone);
    // It has a retention time of its own.
    expect(await api.content({ id, query: { variant: 'first_frame' } })).toMatchObject({ status: 302 });
    expect(await api.get({ id })).toMatchObject({ status: 200, body: { expires_at: '2026-01-11T00:00:00.000Z' } });
  });

  test.each(variants)('answers 410 for a %s that S3 deleted, whether or not a time is known', async (variant) => {
    const { id, objects } = await succeeded();
    // Like a lifecycle: first a delete marker, then the version. The metadata has no version in the record.
    const { bucket: Bucket, key: Key, version_id } = objects[variant];
    await buckets.s3.send(new DeleteObjectCommand({ Bucket, Key }));
    await buckets.s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: version_id }));
    expect(await api.content({ id, query: { variant } })).toMatchObject(gone);
    for (const other of variants.filter((name) => name !== variant))
      expect(await api.content({ id, query: { variant: other } })).toMatchObject({ status: 302 });
    expect(api.unexpectedErrors).toEqual([]);
  });

  test('does not take an error of S3 for a deleted file', async () => {
    api = anApi(store.table, {
      exists: () => objectExists({ send: () => Promise.reject(new Error('AccessDenied')) }, { bucket: 'b', key: 'k' }),
    });
    const { id } = await succeeded();
    expect(await api.content({ id })).toMatchObject({ status: 500 });
  });
});
