import { describe, expect, test } from 'vitest';
import { ApiProblem, createApi, isKey } from '../../web/api.ts';

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

  test('that makes a video says by its Idempotency-Key which one, and learns when to ask again', async () => {
    const headers = { 'retry-after': '7' };
    const { api, requests } = answering(() => Response.json({ id: 'one' }, { status: 202, headers }));
    expect(await api.submit(body, 'key-1')).toEqual({ video: { id: 'one' }, retryAfter: 7 });
    expect(requests[0]).toMatchObject({ method: 'POST', url: 'https://api.example/v1/videos' });
    expect(requests[0]!.headers.get('idempotency-key')).toBe('key-1');
    expect(JSON.parse(String(requests[0]!.body))).toEqual(body);
  });

  test('about a video that has ended is told of no next time', async () => {
    const { api } = answering(() => Response.json({ id: 'one' }));
    expect((await api.get('one')).retryAfter).toBeUndefined();
  });

  test('for a link asks for JSON, since a video element can not send the key', async () => {
    const { api, requests } = answering(() => Response.json({ url: 'https://s3', expires_at: 'soon' }));
    expect(await api.content('one')).toEqual({ url: 'https://s3', expires_at: 'soon' });
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

  test.each([401, 403])('%i is the key’s', async (status) => {
    const { api } = answering(() => Response.json({}, { status }));
    expect((await problemOf(api.list())).refusesKey).toBe(true);
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

test.each([
  ['local', true],
  ['ff_aB3-_', true],
  ['', false],
  ['two words', false],
  ['schlüssel', false],
])('whether %j can travel as a key: %s', (text, expected) => {
  expect(isKey(text)).toBe(expected);
});
