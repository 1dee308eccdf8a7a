import { createHash } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VideoView } from '../../functions/video/view.ts';
import { type Endpoint, openEndpoint } from '../support/endpoint.ts';
import { png, pngUrl } from '../support/png.ts';
import { probe } from '../support/probe.ts';

let api: Endpoint;
beforeAll(async () => {
  api = await openEndpoint();
});
afterAll(() => api?.close());

const post = (body: unknown, headers: Record<string, string> = {}) =>
  api.call('/videos', { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers });
const request = (img_url: string, given: object = {}) => ({
  model: 'wan2.2-i2v-flash',
  input: { prompt: 'A cat runs', img_url },
  ...given,
});

async function endedDrop(key: string): Promise<VideoView> {
  for (;;) {
    const dropped = await api.droppedFrom(key);
    if (['succeeded', 'failed'].includes(dropped.status)) return dropped;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

describe.concurrent('an image becomes an archived video', () => {
  test('from a data: URL, with the size for its aspect ratio and resolution', async () => {
    const { status, headers, body } = await post(request(pngUrl(750, 1000)));
    expect(status).toBe(202);
    expect(new URL(headers.get('location')!, `${api.url}/videos`).href).toBe(`${api.url}/videos/${body.id}`);
    const video = await api.finished(String(body.id));
    expect(video).toMatchObject({ status: 'succeeded', progress: 100, warnings: [] });
    expect(video.timeline.map((entry) => entry.status)).toEqual([
      'queued',
      'submitting',
      'running',
      'archiving',
      'succeeded',
    ]);

    const content = await api.call(`/videos/${video.id}/content`);
    expect(content.status).toBe(302);
    const probed = await probe(content.headers.get('location')!);
    expect(probed).toEqual({ codec: 'h264', width: 816, height: 1104, fps: 30, seconds: 5 });
    const { width, height, fps, duration_seconds: seconds } = video.video!;
    expect({ width, height, fps, seconds }).toEqual({ width: 816, height: 1104, fps: 30, seconds: 5 });
  });

  test('whose length and SHA-256 match the record', async () => {
    const { body } = await post(request(pngUrl(640, 360)));
    const video = await api.finished(String(body.id));
    const { body: link } = await api.call(`/videos/${video.id}/content`, { headers: { accept: 'application/json' } });
    const bytes = Buffer.from(await (await fetch(String(link.url))).arrayBuffer());
    expect(bytes.length).toBe(video.video!.bytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(video.video!.sha256);
  });

  test('from a URL that Wan fetches', async () => {
    const object = { Bucket: api.uploads_bucket, Key: `e2e/cat-${Date.now()}.png` };
    await api.s3.send(new PutObjectCommand({ ...object, Body: png(640, 640), ContentType: 'image/png' }));
    const address = await getSignedUrl(api.s3, new GetObjectCommand(object));
    const { status, body } = await post(request(address));
    expect(status).toBe(202);
    expect(await api.finished(String(body.id))).toMatchObject({
      status: 'succeeded',
      video: { width: 960, height: 960 },
    });
  });

  test('from an image dropped into the uploads bucket', async () => {
    const key = `drop/holidays 2026/cat & dog+é-${Date.now()}.png`;
    await api.s3.send(
      new PutObjectCommand({
        Bucket: api.uploads_bucket,
        Key: key,
        Body: png(480, 480),
        Metadata: { prompt: 'The dog wakes up', resolution: '480P' },
      }),
    );
    const video = await endedDrop(key);
    expect(video).toMatchObject({
      status: 'succeeded',
      input: { prompt: 'The dog wakes up' },
      parameters: { resolution: '480P' },
      source: { type: 'drop', key },
      video: { width: 624, height: 624 },
    });
  });

  test('an invalid dropped image is a failed video with the reason', async () => {
    const key = `drop/tiny-${Date.now()}.png`;
    await api.s3.send(new PutObjectCommand({ Bucket: api.uploads_bucket, Key: key, Body: png(10, 10) }));
    const dropped = await endedDrop(key);
    expect(dropped).toMatchObject({
      status: 'failed',
      error: { code: 'image_dimensions', retryable: false, billed: false },
    });
    expect(dropped.error?.message).toContain('10 × 10');
  });

  test('a failed task is a failed video with the reason', async () => {
    const { body } = await post({
      ...request(pngUrl(360, 360)),
      input: { prompt: '[[fail=DataInspectionFailed]]', img_url: pngUrl(360, 360) },
    });
    expect(await api.finished(String(body.id))).toMatchObject({
      status: 'failed',
      error: { code: 'content_refused', billed: false },
    });
  });
});

test('two hundred concurrent submissions with one Idempotency-Key make one video', async () => {
  const key = `key-${Date.now()}`;
  const body = JSON.stringify(request(pngUrl(360, 360)));
  const answers = await Promise.all(Array.from({ length: 200 }, () => post(body, { 'idempotency-key': key })));
  const accepted = answers.filter(({ status }) => status === 202 || status === 200);
  // The throttle of the stage may reject some of them.
  expect(answers.every(({ status }) => [200, 202, 429].includes(status))).toBe(true);
  expect(new Set(accepted.map((answer) => answer.body.id)).size).toBe(1);
  expect(await api.finished(String(accepted[0]!.body.id))).toMatchObject({
    status: 'succeeded',
    task: { attempts: 1 },
  });
});

describe('an invalid request gets a clear problem', () => {
  const image = pngUrl(360, 360);
  test.each([
    [
      'an unknown model',
      request(image, { model: 'wan9' }),
      400,
      { errors: [{ pointer: '/model', code: 'unknown_model' }] },
    ],
    [
      'no image',
      { model: 'wan2.2-i2v-flash', input: { prompt: 'x' } },
      400,
      { errors: [{ pointer: '/input/img_url' }] },
    ],
    ['broken JSON', '{"model": ', 400, { code: 'invalid_json' }],
    ['an empty body', '', 400, { code: 'invalid_json' }],
    [
      'an image of 10 px',
      request(pngUrl(10, 10)),
      400,
      { errors: [{ pointer: '/input/img_url', code: 'image_dimensions' }] },
    ],
    [
      'several mistakes',
      {
        model: 'wan2.2-i2v-plus',
        input: { img_url: 'ftp://x', audio_url: 'https://e.com/a.mp3' },
        parameters: { resolution: '720P', seed: -1 },
      },
      400,
      {
        errors: expect.arrayContaining([
          expect.objectContaining({ pointer: '/parameters/resolution' }),
          expect.objectContaining({ pointer: '/parameters/seed' }),
        ]),
      },
    ],
  ])('%s', async (_, body, status, problem) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ status, ...problem });
    expect(answer.body.title).toBeTruthy();
    expect(answer.body.detail).toBeTruthy();
    expect(answer.body.request_id).toBeTruthy();
  });

  test.each([
    ['a wrong key', '/videos', { authorization: 'Bearer wrong' }, 401],
    ['no key', '/videos', { authorization: '' }, 401],
    ['an unknown id', '/videos/00000000-0000-4000-8000-000000000000', {}, 404],
    ['an invalid id', '/videos/..%2f..', {}, 404],
    ['an unknown route', '/nothing', {}, 404],
  ])('%s', async (_, route, headers, status) => {
    const answer = await api.call(route, { headers });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ status, title: expect.any(String), code: expect.any(String) });
  });
});

test('GET /health needs no key', async () => {
  const response = await fetch(`${api.url}/health`);
  expect({ status: response.status, body: await response.json() }).toEqual({ status: 200, body: { status: 'ok' } });
});
