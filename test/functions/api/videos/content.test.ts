import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import { linkToObject } from '../../../../functions/api/videos/content.ts';
import { statuses, type VideoRecord } from '../../../../functions/video/record.ts';
import { createVideo } from '../../../../functions/video/store.ts';
import { startS3 } from '../../../local/s3/support/start-s3.ts';
import { startTable } from '../../../support/table.ts';
import { aTask, aVideo, firstFrame, storedInput } from '../../../support/videos.ts';
import { anApi, anArchivedVideo } from '../support.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const store = startTable(() => now);
let api: ReturnType<typeof anApi>;
beforeEach(() => {
  api = anApi(store.table);
});

async function storeVideo(overrides: Partial<VideoRecord>): Promise<VideoRecord> {
  const video = aVideo(overrides);
  await createVideo(store.table, video);
  return video;
}

const succeeded: Partial<VideoRecord> = { status: 'succeeded', video: anArchivedVideo };
const url = 'https://firstframe-videos.s3.test/some-id/1-1.mp4?versionId=v7';
const asJson = { accept: 'application/json' };

describe('GET /videos/{id}/content', () => {
  test.each([
    undefined,
    '*/*',
    'video/mp4,*/*;q=0.8',
    'text/html,application/xhtml+xml,*/*',
    'application/json;q=0',
    'application/jsonlines',
    'application/json, text/plain, */*',
    '*/*, application/json;q=0.1',
    'video/mp4, application/json;q=0.5',
    'application/*;q=0.5, video/*',
  ])('with Accept %s redirects to the archived version', async (accept) => {
    const { id } = await storeVideo(succeeded);
    const response = await api.content({ id, headers: accept ? { Accept: accept } : {} });
    expect(response).toMatchObject({ status: 302, headers: { location: url, 'cache-control': 'no-store' } });
    expect(response.body).toBeUndefined();
  });

  test.each([
    'application/json',
    'Application/JSON; charset=utf-8',
    'text/html;q=0.5, application/json;q=0.9',
    'application/*',
  ])('with Accept %s returns the link and its expiry, not to be cached', async (accept) => {
    const { id } = await storeVideo(succeeded);
    const response = await api.content({ id, headers: { accept } });
    expect(response).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store', vary: 'Accept' },
      body: { url, expires_at: '2026-01-01T00:15:00.000Z' },
    });
    expect(response.headers).not.toHaveProperty('etag');
  });

  test.each(['video', 'metadata'])(
    'answers 409 with Retry-After for the %s of a video in progress',
    async (variant) => {
      for (const [status, seconds] of [
        ['queued', '5'],
        ['submitting', '5'],
        ['running', '15'],
      ] as const) {
        const { id } = await storeVideo({ status, task: aTask({ expected_seconds: 30 }) });
        expect(await api.content({ id, query: { variant } })).toMatchObject({
          status: 409,
          headers: { 'retry-after': seconds, 'content-type': 'application/problem+json' },
          body: { code: 'video_not_ready', detail: expect.stringContaining(status) },
        });
      }
    },
  );

  test.each(['failed', 'canceled'] as const)(
    'answers 409 with the reason and without Retry-After for a %s video',
    async (status) => {
      const error = {
        code: 'x',
        message: 'Wan refused it.',
        retryable: false,
        billed: false,
        hint: 'Change the prompt.',
      };
      const { id } = await storeVideo({ status, ...(status === 'failed' ? { error } : {}) });
      for (const variant of ['video', 'metadata']) {
        const response = await api.content({ id, query: { variant } });
        expect(response).toMatchObject({ status: 409, body: { code: 'video_has_no_content' } });
        expect(response.headers).not.toHaveProperty('retry-after');
        if (status === 'failed') expect(response.body.detail).toBe('Wan refused it. Change the prompt.');
      }
    },
  );

  test.each(['audio', 'Video', '', 'first-frame'])('refuses the variant "%s"', async (variant) => {
    const { id } = await storeVideo(succeeded);
    expect(await api.content({ id, query: { variant } })).toMatchObject({
      status: 400,
      body: {
        code: 'invalid_query',
        errors: [{ pointer: '/variant', message: expect.stringContaining('first_frame') }],
      },
    });
    expect(api.links).toEqual([]);
  });

  test('sets the file name and content type of each link', async () => {
    const image = {
      bucket: 'u',
      key: 'inputs/x/ab',
      version_id: 'v1',
      content_type: 'image/webp',
      bytes: 9,
      width: 9,
      height: 9,
    };
    const { id } = await storeVideo({ ...succeeded, ...storedInput({ image }) });
    for (const variant of ['video', 'metadata', 'first_frame']) await api.content({ id, query: { variant } });
    const { bucket } = anArchivedVideo;
    expect(api.links).toEqual([
      [
        expect.objectContaining({ bucket, key: 'some-id/1-1.mp4', version_id: 'v7' }),
        { file_name: `${id}.mp4`, content_type: 'video/mp4' },
        'GET',
      ],
      [{ bucket, key: 'some-id/1-1.json' }, { file_name: `${id}.json`, content_type: 'application/json' }, 'GET'],
      [
        expect.objectContaining({ bucket: 'u', key: 'inputs/x/ab', version_id: 'v1' }),
        { file_name: `${id}.webp`, content_type: 'image/webp' },
        'GET',
      ],
    ]);
  });
});

describe('the first frame', () => {
  const query = { variant: 'first_frame' };

  test.each(statuses)('is available while the video is %s', async (status) => {
    const { id } = await storeVideo({ status });
    expect(await api.content({ id, query })).toMatchObject({
      status: 302,
      headers: { location: 'https://example.com/cat.png' },
    });
  });

  test("redirects to the caller's URL without an expiry", async () => {
    const { id } = await storeVideo({ status: 'queued' });
    expect((await api.content({ id, query, headers: asJson })).body).toEqual({
      url: 'https://example.com/cat.png',
      expires_at: null,
    });
  });

  test('encodes a URL with non-ASCII characters for the header', async () => {
    const img_url = 'https://bücher.example/kätzchen 🐈.png';
    const { id } = await storeVideo({ input: { prompt: 'x', media: firstFrame(img_url) } });
    expect((await api.content({ id, query })).headers.location).toBe(
      'https://xn--bcher-kva.example/k%C3%A4tzchen%20%F0%9F%90%88.png',
    );
  });

  test('of a refused drop is the dropped object', async () => {
    const source = { type: 'drop', bucket: 'u', key: 'drop/my cat.JPG', version_id: 'v3' } as const;
    const { id } = await storeVideo({
      status: 'failed',
      source,
      input: { media: firstFrame('s3://u/drop/my cat.JPG') },
    });
    expect(await api.content({ id, query })).toMatchObject({ status: 302 });
    expect(api.links).toEqual([
      [expect.objectContaining({ bucket: 'u', key: source.key, version_id: 'v3' }), { file_name: `${id}.JPG` }, 'GET'],
    ]);
  });

  test('is refused for any other kind of URL', async () => {
    for (const img_url of ['javascript:alert(1)', 'data:image/png;base64,AA', 's3://other/bucket']) {
      const { id } = await storeVideo({ input: { prompt: 'x', media: firstFrame(img_url) } });
      expect((await api.content({ id, query })).status).toBe(409);
    }
  });
});

describe('a link', () => {
  test('names one version of one object and expires after 15 minutes', async () => {
    const s3 = new S3Client({ region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
    const object = { bucket: 'videos', key: 'an id/1-1.mp4', version_id: 'v7' };
    const link = new URL(await linkToObject(s3, object, { file_name: 'x.mp4', content_type: 'video/mp4' }));
    expect(link.pathname).toMatch(/an%20id\/1-1\.mp4$/);
    expect(Object.fromEntries(link.searchParams)).toMatchObject({ versionId: 'v7', 'X-Amz-Expires': '900' });
    const newest = new URL(await linkToObject(s3, { bucket: 'videos', key: 'x' }, { file_name: 'x' }));
    expect([...newest.searchParams.keys()]).not.toContain('versionId');
  });

  test('serves that version or a range of it with the given name and type, without other credentials', async () => {
    const s3 = await startS3({ buckets: { videos: { versioned: true } } });
    const put = (Body: string) => s3.sdk.send(new PutObjectCommand({ Bucket: 'videos', Key: 'a b/1-1.mp4', Body }));
    const { VersionId } = await put('first');
    await put('second');
    const object = { bucket: 'videos', key: 'a b/1-1.mp4', version_id: VersionId! };
    const link = await linkToObject(s3.sdk, object, { file_name: 'x.mp4', content_type: 'video/mp4' });
    const whole = await fetch(link);
    expect({ status: whole.status, text: await whole.text() }).toEqual({ status: 200, text: 'first' });
    expect(whole.headers.get('content-type')).toBe('video/mp4');
    expect(whole.headers.get('content-disposition')).toBe('inline; filename="x.mp4"');
    const rest = await fetch(link, { headers: { range: 'bytes=2-' } });
    expect({ status: rest.status, text: await rest.text() }).toEqual({ status: 206, text: 'rst' });
  });
});
