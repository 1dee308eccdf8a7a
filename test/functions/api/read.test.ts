import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { createVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { anApi, anOwner } from './support.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
let store: Awaited<ReturnType<typeof startTable>>;
let api: ReturnType<typeof anApi>;
beforeAll(async () => {
  store = await startTable(() => now);
});
afterAll(() => store.close());
beforeEach(() => {
  api = anApi(store.table);
});

const archived = {
  bucket: 'firstframe-videos',
  key: 'some-id/1-1.mp4',
  version_id: 'v7',
  bytes: 12345,
  sha256: 'ab'.repeat(32),
  content_type: 'video/mp4',
  duration_seconds: 5,
  width: 640,
  height: 480,
  fps: 30,
  codecs: ['avc1'],
};

async function stands(given: Partial<VideoRecord>): Promise<VideoRecord> {
  return (await createVideo(store.table, aVideo(given))).video;
}

const full: Partial<VideoRecord> = {
  status: 'succeeded',
  run: 3,
  request_hash: 'hash-of-the-body',
  submission: { attempt: 1, state: 'settled', sent_at: '2026-01-01T00:00:00.000Z' },
  downloads: 2,
  task: {
    id: 'wan-task-id',
    status: 'SUCCEEDED',
    region: 'singapore',
    request_id: 'wan-request-id',
    submit_time: '2026-01-01T00:00:00.000Z',
    expires_at: '2026-01-02T00:00:00.000Z',
    attempts: 1,
  },
  video: archived,
};

describe('GET /videos/{id}', () => {
  test('shows the record without what is only ours: no task id, no ledger, no fingerprint', async () => {
    const video = await stands(full);
    const answer = await api.get({ id: video.id });
    const { request_hash, run, submission, downloads, task, ...shown } = video;
    const { id, request_id, ...shownTask } = task!;
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect(answer.body).toEqual({ ...shown, task: shownTask });
    expect(JSON.stringify(answer.body)).not.toMatch(/wan-task-id|wan-request-id|hash-of-the-body/);
  });

  test('keeps fields inside that the view does not name', async () => {
    const video = await stands({ ...full, ...{ video_url: 'https://wan.example/secret?Signature=x' } });
    expect(JSON.stringify((await api.get({ id: video.id })).body)).not.toContain('Signature');
  });

  test.each([
    ['queued', undefined, '5'],
    ['running', '2026-01-01T00:00:20.000Z', '10'],
    ['running', '2026-01-01T00:10:00.000Z', '30'],
    ['running', '2025-12-31T23:00:00.000Z', '1'],
    ['succeeded', undefined, undefined],
    ['failed', '2026-01-01T00:10:00.000Z', undefined],
  ] as const)(
    'of a %s video expected at %s asks to come back after %s s',
    async (status, estimated_finish_at, seconds) => {
      const { id } = await stands({ status, ...(estimated_finish_at ? { estimated_finish_at } : {}) });
      expect((await api.get({ id })).headers['retry-after']).toBe(seconds);
    },
  );
});

describe.each(['get', 'content'] as const)('another owner, by %s,', (route) => {
  test('gets the very answer that a video that never was gives', async () => {
    const video = await stands({ ...full, owner: anOwner() });
    const hidden = await api[route]({ id: video.id, owner: anOwner() });
    const missing = await api[route]({ id: randomUUID(), owner: anOwner() });
    expect(hidden).toMatchObject({ status: 404, body: { code: 'video_not_found' } });
    expect(hidden).toEqual(missing);
    expect((await api[route]({ id: video.id, owner: video.owner })).status).toBeLessThan(400);
  });

  test.each([
    '',
    'x',
    '../lane#wan2.6-i2v',
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

describe('GET /videos/{id}/content', () => {
  const url = 'https://firstframe-videos.s3.test/some-id/1-1.mp4?versionId=v7';

  test.each([
    undefined,
    '*/*',
    'video/mp4,*/*;q=0.8',
    'text/html,application/xhtml+xml,*/*',
    'application/json;q=0',
    'application/jsonlines',
  ])('with Accept %s redirects to the archived version', async (accept) => {
    const { id } = await stands(full);
    const answer = await api.content({ id, headers: accept ? { Accept: accept } : {} });
    expect(answer).toMatchObject({ status: 302, headers: { location: url, 'cache-control': 'no-store' } });
    expect(answer.body).toBeUndefined();
  });

  test.each(['application/json', 'Application/JSON; charset=utf-8', 'text/html;q=0.5, application/json;q=0.9'])(
    'with Accept %s tells the link and when it ends',
    async (accept) => {
      const { id } = await stands(full);
      const answer = await api.content({ id, headers: { accept } });
      expect(answer).toMatchObject({ status: 200, body: { url, expires_at: '2026-01-01T00:15:00.000Z' } });
    },
  );

  test.each(['queued', 'submitting', 'running', 'archiving'] as const)(
    'of a %s video is a 409 that says when',
    async (status) => {
      const { id } = await stands({ status, estimated_finish_at: '2026-01-01T00:00:30.000Z' });
      expect(await api.content({ id })).toMatchObject({
        status: 409,
        headers: { 'retry-after': '15', 'content-type': 'application/problem+json' },
        body: { code: 'video_not_ready', detail: expect.stringContaining(status) },
      });
    },
  );

  test.each(['failed', 'canceled'] as const)(
    'of a %s video is a 409 that says why and does not ask to come back',
    async (status) => {
      const error = {
        code: 'x',
        message: 'Wan refused it.',
        retryable: false,
        billed: false,
        hint: 'Change the prompt.',
      };
      const { id } = await stands({ status, ...(status === 'failed' ? { error } : {}) });
      const answer = await api.content({ id });
      expect(answer).toMatchObject({ status: 409, body: { code: 'video_has_no_content' } });
      expect(answer.headers).not.toHaveProperty('retry-after');
      if (status === 'failed') expect(answer.body.detail).toBe('Wan refused it. Change the prompt.');
    },
  );

  test('refuses a variant it does not have, instead of giving another', async () => {
    const { id } = await stands(full);
    expect(await api.content({ id, query: { variant: 'first_frame' } })).toMatchObject({
      status: 400,
      body: { code: 'invalid_query', errors: [{ pointer: '/variant' }] },
    });
    expect(await api.content({ id, query: { variant: 'video' } })).toMatchObject({ status: 302 });
  });
});
