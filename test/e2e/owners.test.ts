import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VideoView } from '../../functions/video/view.ts';
import { type Answer, type Endpoint, openEndpoint } from '../support/endpoint.ts';
import { aRequest } from '../support/requests.ts';

/** An id without a video: version 8, as derived from an Idempotency-Key. */
const unknownId = '00000000-0000-8000-8000-000000000000';

let api: Endpoint;
let mine: VideoView;
let failed: VideoView;
beforeAll(async () => {
  api = await openEndpoint();
  const key = `shared-${Date.now()}`;
  const [one, other] = await Promise.all([
    api.post('/videos', aRequest('A cat of mine'), { 'idempotency-key': key }),
    api.post('/videos', aRequest('[[fail=InternalError]] A cat that fails')),
  ]);
  mine = await api.finished(String(one.body.id));
  failed = await api.finished(String(other.body.id));
});
afterAll(() => api?.close());

const asOther = (route: string, init: RequestInit = {}) =>
  api.call(route, { ...init, headers: { ...init.headers, authorization: `Bearer ${api.other_api_key}` } });

/** The parts of a response that do not depend on the id. */
const comparable = ({ status, headers, body }: Answer, id: string) => ({
  status,
  type: headers.get('content-type'),
  names: [...headers.keys()].filter((name) => name !== 'content-length').sort(),
  body: JSON.stringify({ ...body, request_id: undefined }).replaceAll(id, 'ID'),
});

describe("of another owner's video", () => {
  test.each([
    ['GET', '/videos/ID', {}],
    ['GET', '/videos/ID?wait=1', {}],
    ['GET', '/videos/ID', { 'if-none-match': '*' }],
    ['GET', '/videos/ID/content', {}],
    ['GET', '/videos/ID/content?variant=first_frame', {}],
    ['GET', '/videos/ID/content?variant=metadata', { accept: 'application/json' }],
    ['POST', '/videos/ID/cancel', {}],
    ['POST', '/videos/ID/retry', {}],
    ['POST', '/videos/ID/retry', { 'if-match': '*' }],
    ['POST', '/videos/ID/extend', {}, { prompt: 'x', seconds_to_add: 2 }],
    ['POST', '/videos/ID/variations', {}, {}],
    ['POST', '/videos/ID/variations', {}, { dry_run: true }],
    ['DELETE', '/videos/ID', {}],
    ['GET', '/videos/ID/deliveries', {}],
    ['POST', '/videos/ID/deliveries/1/redeliver', {}],
    ['GET', '/api/v1/tasks/ID', {}],
    ['POST', '/api/v1/tasks/ID/cancel', {}],
    ['GET', '/api/v1/tasks?task_id=ID', {}],
  ])('%s %s responds as for an unknown id', async (method, route, headers, sent?: object) => {
    const body = sent ? { body: JSON.stringify(sent) } : {};
    for (const { id } of [mine, failed]) {
      const foreign = await asOther(route.replace('ID', id), { method, headers, ...body });
      const unknown = await asOther(route.replace('ID', unknownId), { method, headers, ...body });
      expect(comparable(foreign, id)).toEqual(comparable(unknown, unknownId));
    }
    expect((await api.call(`/videos/${mine.id}`)).body).toEqual(mine);
    expect((await api.call(`/videos/${failed.id}`)).body).toEqual(failed);
  });

  test('no list and no usage contains it', async () => {
    for (const route of ['/videos?limit=100', '/api/v1/tasks', '/api/v1/tasks?page_size=100', '/usage']) {
      const { status, body } = await asOther(route);
      expect(status).toBe(200);
      const text = JSON.stringify(body);
      expect(text).not.toContain(mine.id);
      expect(text).not.toContain(failed.id);
    }
    expect((await asOther('/usage')).body).toMatchObject({ spent: 0, reserved: 0, videos: 0 });
  });
});

test('the same Idempotency-Key of two owners means two videos', async () => {
  const key = `both-${Date.now()}`;
  const request = aRequest('[[fail=InternalError]] Both');
  const one = await api.post('/videos', request, { 'idempotency-key': key });
  const other = await api.post('/videos', request, {
    'idempotency-key': key,
    authorization: `Bearer ${api.other_api_key}`,
  });
  expect([one.status, other.status]).toEqual([202, 202]);
  expect(one.body.id).not.toBe(other.body.id);
});

test("a cursor of another owner's list pages through the caller's own list", async () => {
  const { body } = await api.call('/videos?limit=1');
  expect(body.next_cursor).toBeTruthy();
  const { status, body: page } = await asOther(`/videos?limit=100&cursor=${body.next_cursor}`);
  expect(status).toBe(200);
  expect(JSON.stringify(page)).not.toContain(mine.id);
});
