import { describe, expect, test } from 'vitest';
import { createApi, isKey } from '../../web/api.ts';
import { ApiProblem, problemInWords } from '../../web/api-problem.ts';

const body = {
  model: 'wan2.2-i2v-flash',
  input: { prompt: 'A cat runs', img_url: 'data:image/png;base64,AA==' },
  parameters: { resolution: '720P', duration: 5 },
};

/** An API below a stage whose server answers this; and what it was asked. */
function answering(answer: () => Response | Promise<Response>) {
  const requests: { method: string; url: string; headers: Headers; body: unknown }[] = [];
  const api = createApi(
    new URL('https://api.example/v1/'),
    () => 'secret',
    async (url, { method = 'GET', headers, body: sent } = {}) => {
      requests.push({ method, url: String(url), headers: new Headers(headers), body: sent });
      return answer();
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
  test('goes below the API’s root, with the key in its header and nowhere else', async () => {
    const { api, requests } = answering(() => Response.json({ data: [], next_cursor: null }));
    await api.list();
    await api.list('a b&c');
    expect(requests.map(({ url }) => url)).toEqual([
      'https://api.example/v1/videos',
      'https://api.example/v1/videos?cursor=a%20b%26c',
    ]);
    for (const { headers } of requests) expect(headers.get('authorization')).toBe('Bearer secret');
  });

  test('that makes a video says by its Idempotency-Key which one', async () => {
    const { api, requests } = answering(() => Response.json({ id: 'one' }, { status: 202 }));
    expect(await api.submit(body, 'key-1')).toEqual({ id: 'one' });
    expect(requests[0]).toMatchObject({ method: 'POST', url: 'https://api.example/v1/videos' });
    expect(requests[0]!.headers.get('idempotency-key')).toBe('key-1');
    expect(JSON.parse(String(requests[0]!.body))).toEqual(body);
  });

  test('for news waits for another state than the one that is known', async () => {
    const headers = { etag: '"b"', 'retry-after': '7' };
    const { api, requests } = answering(() => Response.json({ id: 'one' }, { headers }));
    expect(await api.get('one', { etag: '"a"', wait: 20 })).toEqual({
      seen: { video: { id: 'one' }, etag: '"b"' },
      retryAfter: 7,
    });
    expect(requests[0]!.url).toBe('https://api.example/v1/videos/one?wait=20');
    expect(requests[0]!.headers.get('if-none-match')).toBe('"a"');
  });

  test('for news that there are none of is no problem', async () => {
    const { api } = answering(() => new Response(null, { status: 304, headers: { etag: '"a"', 'retry-after': '3' } }));
    expect(await api.get('one', { etag: '"a"', wait: 20 })).toEqual({ seen: undefined, retryAfter: 3 });
  });

  test('without conditions sends none', async () => {
    const { api, requests } = answering(() => Response.json({ id: 'one' }));
    expect(await api.get('one')).toEqual({ seen: { video: { id: 'one' }, etag: undefined }, retryAfter: undefined });
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
  ] as const)('to %s a video is bound to the state that was seen', async (name, method, route, answer) => {
    const { api, requests } = answering(answer);
    await api[name]('one', '"a"');
    expect(requests[0]).toMatchObject({ method, url: `https://api.example/v1/${route}` });
    expect(requests[0]!.headers.get('if-match')).toBe('"a"');
  });

  test('to cancel a video is bound to no state: it moves on all the time', async () => {
    const { api, requests } = answering(() => Response.json({ id: 'one', status: 'canceled' }));
    expect(await api.cancel('one')).toMatchObject({ status: 'canceled' });
    expect(requests[0]).toMatchObject({ method: 'POST', url: 'https://api.example/v1/videos/one/cancel' });
    expect(requests[0]!.headers.has('if-match')).toBe(false);
  });

  test('for a link asks for JSON, since a video element can not send the key', async () => {
    const { api, requests } = answering(() => Response.json({ url: 'https://s3', expires_at: 'soon' }));
    expect(await api.content('one', 'first_frame')).toEqual({ url: 'https://s3', expires_at: 'soon' });
    expect(requests[0]!.url).toBe('https://api.example/v1/videos/one/content?variant=first_frame');
    expect(requests[0]!.headers.get('accept')).toBe('application/json');
  });
});

describe('a problem', () => {
  test('tells what is wrong with which field', async () => {
    const errors = [{ pointer: '/input/prompt', code: 'too_long', message: 'Make it shorter.' }];
    const { api } = answering(() => Response.json({ title: 'No.', detail: 'Mend it.', errors }, { status: 400 }));
    expect(await problemOf(api.submit(body, 'key'))).toMatchObject({
      status: 400,
      message: 'No.',
      detail: 'Mend it.',
      errors,
    });
  });

  test.each([
    [401, 'unauthorized', true],
    [403, 'AccessDenied', true],
    [403, 'spending_limit_reached', false],
    [409, 'video_is_running', false],
  ])('%i %s is the key’s: %s', async (status, code, expected) => {
    const { api } = answering(() => Response.json({ code }, { status }));
    expect((await problemOf(api.list())).refusesKey).toBe(expected);
  });

  test('says when to try again, where the server does', async () => {
    const headers = { 'retry-after': '9' };
    const { api } = answering(() => Response.json({ title: 'Busy.', detail: 'Wait.' }, { status: 503, headers }));
    expect(problemInWords(await problemOf(api.list()))).toBe('Busy. Wait. Try again in 9 s.');
  });

  test('without JSON still has words', async () => {
    const { api } = answering(() => new Response('<h1>Bad gateway</h1>', { status: 502 }));
    const problem = await problemOf(api.list());
    expect(problem).toBeInstanceOf(ApiProblem);
    expect(problem.message).toBe('The server answered 502.');
  });

  test('of a server that does not answer is one like any other', async () => {
    const { api } = answering(() => Promise.reject(new TypeError('Failed to fetch')));
    expect(await problemOf(api.list())).toMatchObject({ name: 'ApiProblem', status: 0, refusesKey: false });
  });
});

test('who has buttons is told of no routes and no headers', () => {
  const detail =
    'It will be billed, at about 0.18 USD. GET /videos/one tells when. Wait for the seconds in Retry-After.';
  expect(problemInWords(new ApiProblem(409, { title: 'Wan is at it.', detail }))).toBe(
    'Wan is at it. It will be billed, at about 0.18 USD.',
  );
});

test('a call that is aborted is nobody’s problem', async () => {
  const { api } = answering(() => Promise.reject(new TypeError('aborted')));
  const reason = new Error('nobody looks');
  expect(await problemOf(api.get('one', { signal: AbortSignal.abort(reason) }))).toBe(reason);
});

test.each([
  ['local', true],
  [`eyJ${'a'.repeat(2000)}.b.c`, true],
  ['ff_aB3-_', true],
  ['', false],
  ['two words', false],
  ['schlüssel', false],
])('whether %j can travel as a key: %s', (text, expected) => {
  expect(isKey(text)).toBe(expected);
});
