import { describe, expect, test } from 'vitest';
import { createApi, isKey } from '../../web/api.ts';
import { ApiProblem, formatProblem } from '../../web/api-problem.ts';

const body = {
  model: 'wan2.2-i2v-flash',
  input: { prompt: 'A cat runs', img_url: 'data:image/png;base64,AA==' },
  parameters: { resolution: '720P', duration: 5 },
};

/** An API below a stage whose server responds with this, and the requests it received. */
function apiWith(respond: () => Response | Promise<Response>) {
  const requests: { method: string; url: string; headers: Headers; body: unknown }[] = [];
  const api = createApi(
    new URL('https://api.example/v1/'),
    () => 'secret',
    async (url, { method = 'GET', headers, body: sent } = {}) => {
      requests.push({ method, url: String(url), headers: new Headers(headers), body: sent });
      return respond();
    },
  );
  return { api, requests };
}
const problemOf = (call: Promise<unknown>): Promise<ApiProblem> =>
  call.then(
    () => expect.unreachable(),
    (error) => error,
  );

describe('a call', () => {
  test('goes below the API’s root, with the key only in its header', async () => {
    const { api, requests } = apiWith(() => Response.json({ data: [], next_cursor: null }));
    await api.list();
    await api.list('a b&c');
    expect(requests.map(({ url }) => url)).toEqual([
      'https://api.example/v1/videos',
      'https://api.example/v1/videos?cursor=a%20b%26c',
    ]);
    for (const { headers } of requests) expect(headers.get('authorization')).toBe('Bearer secret');
  });

  test('that submits a video has an Idempotency-Key', async () => {
    const { api, requests } = apiWith(() => Response.json({ id: 'one' }, { status: 202 }));
    expect(await api.submit(body, 'key-1')).toEqual({ id: 'one' });
    expect(requests[0]).toMatchObject({ method: 'POST', url: 'https://api.example/v1/videos' });
    expect(requests[0]!.headers.get('idempotency-key')).toBe('key-1');
    expect(JSON.parse(String(requests[0]!.body))).toEqual(body);
  });

  test('to poll a video waits for another state than the known one', async () => {
    const headers = { etag: '"b"', 'retry-after': '7' };
    const { api, requests } = apiWith(() => Response.json({ id: 'one' }, { headers }));
    expect(await api.get('one', { etag: '"a"', wait: 20 })).toEqual({
      snapshot: { video: { id: 'one' }, etag: '"b"' },
      retryAfter: 7,
    });
    expect(requests[0]!.url).toBe('https://api.example/v1/videos/one?wait=20');
    expect(requests[0]!.headers.get('if-none-match')).toBe('"a"');
  });

  test('to poll an unchanged video returns no snapshot', async () => {
    const { api } = apiWith(() => new Response(null, { status: 304, headers: { etag: '"a"', 'retry-after': '3' } }));
    expect(await api.get('one', { etag: '"a"', wait: 20 })).toEqual({ snapshot: undefined, retryAfter: 3 });
  });

  test('without conditions sends no conditional headers', async () => {
    const { api, requests } = apiWith(() => Response.json({ id: 'one' }));
    expect(await api.get('one')).toEqual({
      snapshot: { video: { id: 'one' }, etag: undefined },
      retryAfter: undefined,
    });
    await api.retry('one', undefined);
    expect(requests.map(({ url }) => url)).toEqual([
      'https://api.example/v1/videos/one',
      'https://api.example/v1/videos/one/retry',
    ]);
    for (const { headers } of requests) expect(headers.has('if-none-match') || headers.has('if-match')).toBe(false);
  });

  test.each([
    ['retry', 'POST', 'videos/one/retry', () => Response.json({ id: 'one' }, { status: 202 })],
    ['remove', 'DELETE', 'videos/one', () => new Response(null, { status: 204 })],
  ] as const)('to %s a video applies only to the state that was shown', async (name, method, route, respond) => {
    const { api, requests } = apiWith(respond);
    await api[name]('one', '"a"');
    expect(requests[0]).toMatchObject({ method, url: `https://api.example/v1/${route}` });
    expect(requests[0]!.headers.get('if-match')).toBe('"a"');
  });

  test('to cancel a video applies to any state, since a running video changes often', async () => {
    const { api, requests } = apiWith(() => Response.json({ id: 'one', status: 'canceled' }));
    expect(await api.cancel('one')).toMatchObject({ status: 'canceled' });
    expect(requests[0]).toMatchObject({ method: 'POST', url: 'https://api.example/v1/videos/one/cancel' });
    expect(requests[0]!.headers.has('if-match')).toBe(false);
  });

  test('for a link accepts JSON, since a video element cannot send the key', async () => {
    const { api, requests } = apiWith(() => Response.json({ url: 'https://s3', expires_at: 'soon' }));
    expect(await api.content('one', 'first_frame')).toEqual({ url: 'https://s3', expires_at: 'soon' });
    expect(requests[0]!.url).toBe('https://api.example/v1/videos/one/content?variant=first_frame');
    expect(requests[0]!.headers.get('accept')).toBe('application/json');
  });
});

describe('a problem', () => {
  test('lists its issues by field', async () => {
    const errors = [{ pointer: '/input/prompt', code: 'too_long', message: 'Make it shorter.' }];
    const { api } = apiWith(() => Response.json({ title: 'No.', detail: 'Fix it.', errors }, { status: 400 }));
    expect(await problemOf(api.submit(body, 'key'))).toMatchObject({
      status: 400,
      message: 'No.',
      detail: 'Fix it.',
      errors,
    });
  });

  test.each([
    [401, 'unauthorized', true],
    [403, 'AccessDenied', true],
    [403, 'spending_limit_reached', false],
    [409, 'video_is_running', false],
  ])('%i %s rejects the key: %s', async (status, code, expected) => {
    const { api } = apiWith(() => Response.json({ code }, { status }));
    expect((await problemOf(api.list())).rejectsKey).toBe(expected);
  });

  test('includes the server’s Retry-After', async () => {
    const headers = { 'retry-after': '9' };
    const { api } = apiWith(() => Response.json({ title: 'Busy.', detail: 'Wait.' }, { status: 503, headers }));
    expect(formatProblem(await problemOf(api.list()))).toBe('Busy. Wait. Try again in 9 s.');
  });

  test('has a message even without a JSON body', async () => {
    const { api } = apiWith(() => new Response('<h1>Bad gateway</h1>', { status: 502 }));
    const problem = await problemOf(api.list());
    expect(problem).toBeInstanceOf(ApiProblem);
    expect(problem.message).toBe('The server responded with status 502.');
  });

  test('has status 0 when the server does not respond', async () => {
    const { api } = apiWith(() => Promise.reject(new TypeError('Failed to fetch')));
    expect(await problemOf(api.list())).toMatchObject({ name: 'ApiProblem', status: 0, rejectsKey: false });
  });
});

test('leaves sentences about routes and headers out of a message', () => {
  const detail =
    'It will be billed, at about 0.18 USD. GET /videos/one shows when. Wait for the seconds in Retry-After.';
  expect(formatProblem(new ApiProblem(409, { title: 'It runs.', detail }))).toBe(
    'It runs. It will be billed, at about 0.18 USD.',
  );
});

test('an aborted call throws the reason of its signal', async () => {
  const { api } = apiWith(() => Promise.reject(new TypeError('aborted')));
  const reason = new Error('the page is hidden');
  expect(await problemOf(api.get('one', { signal: AbortSignal.abort(reason) }))).toBe(reason);
});

test.each([
  ['local', true],
  [`eyJ${'a'.repeat(2000)}.b.c`, true],
  ['ff_aB3-_', true],
  ['', false],
  ['two words', false],
  ['schlüssel', false],
])('%j is a possible key: %s', (text, expected) => {
  expect(isKey(text)).toBe(expected);
});
