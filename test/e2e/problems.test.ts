import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Endpoint, openEndpoint, openLocal } from '../support/endpoint.ts';
import { pngUrl } from '../support/png.ts';
import { aRequest } from '../support/requests.ts';

let api: Endpoint;
/** Ids of a succeeded video, a failed one, and one that runs during all tests. */
let succeeded: string;
let failed: string;
let running: string;
beforeAll(async () => {
  api = await openEndpoint();
  const submit = async (prompt: string, given: object = {}): Promise<string> =>
    String((await api.post('/videos', aRequest(prompt, given))).body.id);
  [succeeded, failed, running] = await Promise.all([
    submit('A cat'),
    submit('[[fail=InternalError]] A cat'),
    submit('[[seconds=600]] A cat', { model: 'wan2.6-i2v', parameters: { resolution: '720P' } }),
  ]);
  await Promise.all([
    api.finished(succeeded),
    api.finished(failed),
    api.until(running, (video) => video.status === 'running'),
  ]);
});
afterAll(() => api?.close());

/** Every problem has these members, from handlers and gateway. */
function expectProblem({ status, headers, body }: Answer, expected: { status: number; code: string }): void {
  expect({ status, code: body.code }).toEqual(expected);
  expect(body).toMatchObject({
    type: `urn:firstframe:problem:${expected.code}`,
    status: expected.status,
    title: expect.stringMatching(/\.$/),
    detail: expect.stringMatching(/\.$/),
    request_id: expect.any(String),
  });
  expect(headers.get('content-type')).toMatch(/^application\/(problem\+)?json$/);
}

const video = (id: string, more = '') => `/videos/${id}${more}`;
const unknownId = '00000000-0000-8000-8000-000000000000';
const deep = `{"metadata": ${'{"a":'.repeat(100)}1${'}'.repeat(100)}}`;
const large = `data:image/png;base64,${Buffer.alloc(4 * 1024 * 1024 + 1).toString('base64')}`;

const problems: [code: string, status: number, what: string, ask: () => Promise<Answer>][] = [
  ['invalid_json', 400, 'incomplete JSON', () => api.post('/videos', '{"model": ')],
  ['invalid_json', 400, 'deeply nested JSON', () => api.post('/videos', deep)],
  ['invalid_json', 400, 'a binary body', () => api.post('/uploads', '\u0000\u0001')],
  [
    'invalid_request',
    400,
    'a private webhook',
    () => api.post('/videos', aRequest('x', { webhook_url: 'https://10.0.0.1/' })),
  ],
  [
    'invalid_request',
    400,
    'metadata over 2 KB',
    () => api.post('/videos', aRequest('x', { metadata: { a: 'x'.repeat(2048) } })),
  ],
  ['invalid_request', 400, 'an unknown field', () => api.post('/estimates', aRequest('x', { cheap: true }))],
  ['invalid_request', 400, 'an unsupported content type', () => api.post('/uploads', { content_type: 'text/html' })],
  ['invalid_query', 400, 'a wrong status', () => api.call('/videos?status=done')],
  ['invalid_query', 400, 'a parameter twice', () => api.call('/videos?limit=1&limit=2')],
  ['invalid_query', 400, 'an invalid cursor', () => api.call('/videos?cursor=abc')],
  ['invalid_query', 400, 'a wait that is too long', () => api.call(video(succeeded, '?wait=26'))],
  ['invalid_query', 400, 'an unknown variant', () => api.call(video(succeeded, '/content?variant=gif'))],
  ['invalid_query', 400, 'an invalid month', () => api.call('/usage?month=2026-13')],
  [
    'invalid_idempotency_key',
    400,
    'a key with spaces',
    () => api.post('/videos', aRequest(), { 'idempotency-key': 'a b' }),
  ],
  ['unauthorized', 401, 'a wrong key', () => api.call('/videos', { headers: { authorization: 'Bearer wrong' } })],
  ['unauthorized', 401, 'no key', () => api.call('/usage', { headers: { authorization: '' } })],
  [
    'unauthorized',
    401,
    'a key in the query',
    () => api.call(`/videos?upload_token=${api.api_key}`, { headers: { authorization: '' } }),
  ],
  ['route_not_found', 404, 'an unknown route', () => api.call('/nothing')],
  ['method_not_allowed', 405, 'an unknown method', () => api.call('/videos', { method: 'PUT' })],
  [
    'unsupported_content_encoding',
    415,
    'a body in Brotli',
    () => api.post('/videos', '{}', { 'content-encoding': 'br' }),
  ],
  ['video_not_found', 404, 'an unknown id', () => api.call(video(unknownId))],
  ['video_not_found', 404, 'an invalid id', () => api.call(video('..%2f..'))],
  ['video_not_found', 404, 'the cancellation of an unknown id', () => api.post(video(unknownId, '/cancel'))],
  ['video_not_found', 404, 'the retry of an unknown id', () => api.post(video(unknownId, '/retry'))],
  ['video_not_found', 404, 'the deletion of an unknown id', () => api.call(video(unknownId), { method: 'DELETE' })],
  [
    'idempotency_conflict',
    409,
    'a key with another body',
    async () => {
      const key = { 'idempotency-key': `conflict-${Date.now()}` };
      await api.post('/videos', aRequest('[[fail=InternalError]] one'), key);
      return api.post('/videos', aRequest('another'), key);
    },
  ],
  ['video_not_ready', 409, 'the content of a running video', () => api.call(video(running, '/content'))],
  ['video_has_no_content', 409, 'the content of a failed video', () => api.call(video(failed, '/content'))],
  ['video_is_running', 409, 'the cancellation of a running video', () => api.post(video(running, '/cancel'))],
  ['video_has_ended', 409, 'the cancellation of a succeeded video', () => api.post(video(succeeded, '/cancel'))],
  ['video_has_succeeded', 409, 'the retry of a succeeded video', () => api.post(video(succeeded, '/retry'))],
  [
    'precondition_failed',
    412,
    'another version',
    () => api.call(video(succeeded), { method: 'DELETE', headers: { 'if-match': '"x"' } }),
  ],
  [
    'image_too_large',
    413,
    'a large inline image',
    () => api.post('/videos', aRequest('x', { input: { img_url: large } })),
  ],
  [
    'request_too_large',
    413,
    'a body over the limit of API Gateway',
    () => api.post('/videos', 'x'.repeat(10 * 1024 * 1024 + 1)),
  ],
];

describe('problems', () => {
  test.each(problems)('%s (%i): %s', async (code, status, _, ask) => {
    expectProblem(await ask(), { status, code });
  });

  test('of a large inline image name POST /uploads', async () => {
    const { body } = await api.post('/videos', aRequest('x', { input: { img_url: large } }));
    expect(body.detail).toContain('POST /uploads');
  });

  test('do not repeat the request', async () => {
    const secret = 'a very secret prompt';
    const answer = await api.post('/videos', { model: 'nothing', input: { prompt: secret, img_url: pngUrl(9, 9) } });
    expectProblem(answer, { status: 400, code: 'invalid_request' });
    expect(JSON.stringify(answer.body)).not.toContain(secret);
  });
});

describe('on a separate stack', () => {
  let own: Awaited<ReturnType<typeof openLocal>>;
  beforeAll(async () => {
    // A video costs 0.25 here: one fits, two do not.
    own = await openLocal({ monthlySpendingLimit: 0.4, apiThrottle: { rate: 30, burst: 60 } });
  });
  afterAll(() => own?.endpoint.close());

  test('concurrent requests cannot exceed the spending limit', async () => {
    const { endpoint, stack } = own;
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) => endpoint.post('/videos', aRequest(`A cat ${index}`))),
    );
    const accepted = answers.filter(({ status }) => status === 202).map(({ body }) => String(body.id));
    const ended = await Promise.all(accepted.map((id) => endpoint.finished(id)));
    expect(ended.filter(({ status }) => status === 'succeeded')).toHaveLength(1);
    for (const { status, error } of ended)
      if (status !== 'succeeded') expect(error).toMatchObject({ code: 'spending_limit_reached', billed: false });
    expect(
      stack.wan!.requests.filter(({ method, url }) => method === 'POST' && url.endsWith('/video-synthesis')),
    ).toHaveLength(1);
    expectProblem(await endpoint.post('/videos', aRequest('One more')), {
      status: 403,
      code: 'spending_limit_reached',
    });
    expect((await endpoint.call('/usage')).body).toMatchObject({
      spent: 0.25,
      reserved: 0,
      limit: 0.4,
      remaining: 0.15,
    });
  });

  test('requests over the throttle of the stage get 429 with Retry-After', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => own.endpoint.call('/models')));
    const throttled = answers.filter(({ status }) => status === 429);
    expect(throttled.length).toBeGreaterThan(0);
    expectProblem(throttled[0]!, { status: 429, code: 'too_many_requests' });
    expect(throttled[0]!.headers.get('retry-after')).toBe('1');
  });
});

test('a cancellation without a response of Wan is a 503 and changes nothing', async () => {
  const { endpoint, stack } = await openLocal();
  try {
    const { body } = await endpoint.post('/videos', aRequest('[[pending=600]] A cat'));
    await endpoint.until(String(body.id), ({ status }) => status === 'running');
    await stack.wan!.close();
    const answer = await endpoint.post(`/videos/${body.id}/cancel`);
    expectProblem(answer, { status: 503, code: 'wan_unavailable' });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await endpoint.call(`/videos/${body.id}`)).body.status).toBe('running');
  } finally {
    await endpoint.close();
  }
});
