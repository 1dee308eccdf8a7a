import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { VideoRecord } from '../../../../functions/video/record.ts';
import { changeVideo, createVideo } from '../../../../functions/video/store.ts';
import { startTable } from '../../../support/table.ts';
import { aTask, aVideo, storedInput } from '../../../support/videos.ts';
import { anApi, anArchivedVideo, anOwner } from '../support.ts';

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

const complete: Partial<VideoRecord> = {
  status: 'succeeded',
  run: 3,
  request_hash: 'hash-of-the-body',
  submission: { attempt: 1, state: 'settled', sent_at: '2026-01-01T00:00:00.000Z' },
  downloads: 2,
  upstream_tasks: 1,
  task: aTask({
    id: 'wan-task-id',
    status: 'SUCCEEDED',
    request_id: 'wan-request-id',
    actual_prompt: 'A cat runs, its fur in the wind',
  }),
  estimated_cost: { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5, as_of: '2025-12-29' },
  ...storedInput({
    audio: {
      bucket: 'firstframe-uploads',
      key: 'inputs/some-id/audio.mp3',
      content_type: 'audio/mpeg',
      bytes: 5,
      duration_seconds: 4,
    },
  }),
  video: anArchivedVideo,
};

describe('GET /videos/{id}', () => {
  test('returns the record without internal fields: task id, ledger, fingerprint, month', async () => {
    const video = await storeVideo(complete);
    const response = await api.get({ id: video.id });
    const { request_hash, run, submission, downloads, upstream_tasks, spending_month, task, ...shown } = video;
    const { id, request_id, expected_seconds, ...shownTask } = task!;
    expect(response).toMatchObject({ status: 200, headers: { 'cache-control': 'private, no-cache' } });
    expect(response.body).toEqual({ ...shown, progress: 100, task: shownTask });
    expect(JSON.stringify(response.body)).not.toMatch(/wan-task-id|wan-request-id|hash-of-the-body/);
  });

  test('omits fields that the view does not name', async () => {
    const secret = { video_url: 'https://wan.example/secret?Signature=x' };
    const video = await storeVideo({ ...complete, ...secret, task: { ...complete.task!, ...secret } });
    expect(JSON.stringify((await api.get({ id: video.id })).body)).not.toContain('Signature');
  });

  test('answers a known ETag with 304 until the video changes', async () => {
    const video = await storeVideo({ status: 'running', task: aTask() });
    const { etag } = (await api.get({ id: video.id })).headers;
    const headers = { 'If-None-Match': etag! };
    expect(await api.get({ id: video.id, headers })).toMatchObject({ status: 304, headers: { etag }, body: undefined });
    await changeVideo(store.table, video, { set: { task: aTask({ status: 'SUCCEEDED' }) } });
    expect(await api.get({ id: video.id, headers })).toMatchObject({
      status: 200,
      body: { task: { status: 'SUCCEEDED' } },
    });
  });

  test('and GET /videos keep the ETag while only progress and expected finish change', async () => {
    const owner = anOwner();
    const { id } = await storeVideo({ owner, status: 'running', task: aTask() });
    const at = (seconds: number) => anApi({ ...store.table, now: () => now + seconds * 1000 });
    const readAt = (seconds: number, route: 'get' | 'list', headers = {}) =>
      at(seconds)[route]({ owner, headers, ...(route === 'get' ? { id } : {}) });
    for (const route of ['get', 'list'] as const) {
      const early = await readAt(1, route);
      const late = await readAt(60, route);
      expect(late.body).not.toEqual(early.body);
      expect(late.headers.etag).toBe(early.headers.etag);
      expect((await readAt(600, route, { 'if-none-match': early.headers.etag! })).status).toBe(304);
    }
  });

  test('refuses an unknown parameter', async () => {
    const { id } = await storeVideo({});
    expect(await api.get({ id, query: { fields: 'status' } })).toMatchObject({
      status: 400,
      body: { code: 'invalid_query', errors: [{ pointer: '/fields', code: 'unknown_parameter' }] },
    });
  });

  test.each([
    ['queued', undefined, undefined, '5'],
    ['running', 0, 20, '10'],
    ['running', 0, 600, '30'],
    ['running', 0, 1, '1'],
    ['running', 98, 100, '5'],
    ['running', 220, 100, '11'],
    ['running', 3600, 100, '30'],
    ['archiving', 3600, 100, '2'],
    ['succeeded', 3600, 100, undefined],
    ['failed', 100, 700, undefined],
  ] as const)(
    'returns, for a %s video whose task is %s s old and usually takes %s s, a Retry-After of %s s',
    async (status, age, expected_seconds, seconds) => {
      const submit_time = new Date(now - (age ?? 0) * 1000).toISOString();
      const task = expected_seconds === undefined ? {} : { task: aTask({ submit_time, expected_seconds }) };
      const { id } = await storeVideo({ status, ...task });
      expect((await api.get({ id })).headers['retry-after']).toBe(seconds);
    },
  );
});

describe.each(['get', 'content'] as const)('another owner, by %s,', (route) => {
  test('gets the same response as for an unknown id', async () => {
    const video = await storeVideo({ ...complete, owner: anOwner() });
    const hidden = await api[route]({ id: video.id, owner: anOwner() });
    const missing = await api[route]({ id: randomUUID(), owner: anOwner() });
    expect(hidden).toMatchObject({ status: 404, body: { code: 'video_not_found' } });
    expect(hidden).toEqual(missing);
    expect((await api[route]({ id: video.id, owner: video.owner })).status).toBeLessThan(400);
  });

  test.each([
    '',
    'x',
    '../queue#wan2.6-i2v',
    'key#0',
    '%00',
    `${randomUUID()}#`,
    randomUUID().toUpperCase(),
    '💥',
    'a'.repeat(5000),
  ])('finds nothing under the id %j', async (id) => {
    expect(await api[route]({ id })).toEqual(await api[route]({ id: randomUUID() }));
  });

  test('finds nothing without an id', async () => {
    expect(await api[route]({})).toMatchObject({ status: 404 });
  });
});
