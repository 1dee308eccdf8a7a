import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ApiDefinition } from '../../../../local/aws/api-gateway/api-definition.ts';
import { method, serve } from './serve-api.ts';

/** Every answer of the gateway's own is shaped like this one, so that a test can tell it from Node's and from a function's. */
const shaped = ['DEFAULT_4XX', 'DEFAULT_5XX', 'MISSING_AUTHENTICATION_TOKEN', 'REQUEST_TOO_LARGE'].map(
  (response_type) => ({
    response_type,
    templates: { 'application/json': '{"type":"$context.error.responseType","request_id":"$context.requestId"}' },
    parameters: {},
  }),
);

const aServer = (
  api: Partial<ApiDefinition> = {},
  ...more: [Parameters<typeof serve>[1]?, Parameters<typeof serve>[2]?]
) =>
  serve(
    {
      methods: [
        method('/videos'),
        method('/videos', { http_method: 'POST' }),
        method('/videos/{id}'),
        method('/api/v1/{proxy+}', { http_method: 'ANY' }),
      ],
      gateway_responses: shaped,
      ...api,
    },
    ...more,
  );

interface RawAnswer {
  status: number;
  head: string;
  body: string;
}

/**
 * Sends bytes as they are and gives everything that came back, once the connection is closed or as many answers as expected are
 * there. @param end whether the sender says that nothing more will come
 */
async function raw(port: number, bytes: string | Buffer, { end = false, answers = 1 } = {}): Promise<RawAnswer[]> {
  const chunks: Buffer[] = [];
  const text = () => Buffer.concat(chunks).toString('latin1');
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
      if (end) socket.end();
    });
    const done = () => {
      socket.destroy();
      resolve();
    };
    socket.setTimeout(8000, () => reject(new Error(`no answer, but: ${text()}`)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (parse(text()).length >= answers) done();
    });
    socket.on('close', done);
    socket.on('error', done);
  });
  return parse(text());
}

/** The whole answers in what was received. */
function parse(text: string): RawAnswer[] {
  const found: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const [, head = '', status = '', after = ''] = /^(HTTP\/1\.1 (\d+).*?)\r\n\r\n(.*)$/s.exec(rest) ?? [];
    if (head === '') return found;
    const length = status === '100' ? 0 : Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    if (after.length < length) return found;
    if (status !== '100') found.push({ status: Number(status), head, body: after.slice(0, length) });
    rest = after.slice(length);
  }
}

const typeOf = (answer: RawAnswer | undefined): string => JSON.parse(answer?.body || '{}').type;
const get = (target: string, ...headers: string[]) =>
  [`GET ${target} HTTP/1.1`, 'Host: api.test:4400', ...headers, '', ''].join('\r\n');
const post = (body: string, ...headers: string[]) =>
  `${['POST /videos HTTP/1.1', 'Host: api.test:4400', ...headers, '', ''].join('\r\n')}${body}`;

/** The next request is answered: whatever came before broke nothing. */
async function isAlive({ port }: { port: number }): Promise<void> {
  expect((await raw(port, get('/videos')))[0]).toMatchObject({ status: 200, body: 'ok' });
}

describe('headers that are too large are refused in the API’s own shape', () => {
  test.each([10_240, 16_384, 20_000, 1_000_000])('%i bytes in one', async (bytes) => {
    const server = await aServer();
    const [answer] = await raw(server.port, get('/videos', `X-Long: ${'x'.repeat(bytes)}`));
    expect([answer?.status, typeOf(answer)]).toEqual([431, 'DEFAULT_4XX']);
    expect(JSON.parse(answer!.body).request_id).toMatch(/^[0-9a-f-]{36}$/);
    await isAlive(server);
  });

  test('a thousand small ones', async () => {
    const { port } = await aServer();
    const [answer] = await raw(
      port,
      get('/videos', ...Array.from({ length: 1000 }, (_, index) => `X-${index}: a value`)),
    );
    expect([answer?.status, typeOf(answer)]).toEqual([431, 'DEFAULT_4XX']);
  });

  test.each([10_300, 100_000])('a path of %i bytes', async (bytes) => {
    const server = await aServer();
    const [answer] = await raw(server.port, get(`/videos/${'x'.repeat(bytes)}`));
    expect([answer?.status, typeOf(answer)]).toEqual([431, 'DEFAULT_4XX']);
    await isAlive(server);
  });
});

describe('a path', () => {
  test.each([
    '//',
    '//videos',
    '/videos//',
    '/videos//content',
    '/./videos',
    '/videos/../health',
    '/../videos',
    '/%2e%2e/videos',
    '/videos/x/%2e%2e',
    '/videos%2f1',
    '/VIDEOS',
    '/videos;a=b/1',
    '/videos\\1',
    '/api/v1//tasks',
    `/videos/${'a/'.repeat(2000)}`,
  ])('that is no route is none, whatever it could be read as: %s', async (path) => {
    const server = await aServer();
    const [answer] = await raw(server.port, get(path));
    expect([answer?.status, typeOf(answer)]).toEqual([403, 'MISSING_AUTHENTICATION_TOKEN']);
    expect(server.events).toEqual([]);
  });

  test.each([
    ['..', '..'],
    ['%2e%2e', '%2e%2e'],
    ['%00', '%00'],
    ['%2F%2F', '%2F%2F'],
    ['%ff%fe', '%ff%fe'],
    ['\'"<>{}|^`', '\'"<>{}|^`'],
    ['__proto__', '__proto__'],
    ['x'.repeat(9000), 'x'.repeat(9000)],
  ])('reaches its function as it was sent: /videos/%s', async (sent, id) => {
    const server = await aServer();
    expect((await raw(server.port, get(`/videos/${sent}`)))[0]?.status).toBe(200);
    expect(server.events[0]).toMatchObject({ resource: '/videos/{id}', pathParameters: { id } });
  });

  test.each(['/videos/%', '/videos/%2', '/videos/%zz', '/%', '/videos?a=%', '/videos?%zz=1', '/videos?a=1&b=%u0041'])(
    'or query with broken percent-encoding is a 400: %s',
    async (target) => {
      const server = await aServer();
      const [answer] = await raw(server.port, get(target));
      expect([answer?.status, typeOf(answer)]).toEqual([400, 'DEFAULT_4XX']);
      expect(server.events).toEqual([]);
    },
  );

  test('with bytes that are no UTF-8 does no harm', async () => {
    const server = await aServer();
    const target = Buffer.concat([Buffer.from('GET /videos/'), Buffer.from([0xff, 0xfe, 0xc0])]);
    const rest = Buffer.from(' HTTP/1.1\r\nHost: a\r\nX-Odd: ');
    const end = Buffer.concat([Buffer.from([0xff]), Buffer.from('\r\n\r\n')]);
    const [answer] = await raw(server.port, Buffer.concat([target, rest, end]));
    expect([200, 400]).toContain(answer?.status);
    await isAlive(server);
  });

  test('may be a whole URL', async () => {
    const server = await aServer();
    await raw(server.port, get('http://api.test:4400/videos/7?a=b'));
    expect(server.events[0]).toMatchObject({ path: '/videos/7', queryStringParameters: { a: 'b' } });
  });

  test('that is none at all is a 400', async () => {
    const server = await aServer();
    for (const line of ['OPTIONS * HTTP/1.1', 'GET * HTTP/1.1']) {
      expect((await raw(server.port, `${line}\r\nHost: a\r\n\r\n`))[0]?.status).toBe(400);
    }
    expect(server.events).toEqual([]);
  });
});

describe('a method', () => {
  test.each(['PROPFIND', 'TRACE', 'PURGE', 'SEARCH', 'MKCOL'])(
    'that an API does not have is no route: %s',
    async (name) => {
      const server = await aServer();
      for (const path of ['/videos', '/api/v1/tasks']) {
        const [answer] = await raw(server.port, `${name} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
        expect([answer?.status, typeOf(answer)]).toEqual([403, 'MISSING_AUTHENTICATION_TOKEN']);
      }
      expect(server.events).toEqual([]);
    },
  );

  test.each(['CONNECT a:443', 'FOO /videos', 'get /videos', 'GETGETGET /videos', ' /videos'])(
    'that is none is a 400: %s',
    async (line) => {
      const server = await aServer();
      const [answer] = await raw(server.port, `${line} HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect([answer?.status, typeOf(answer)]).toEqual([400, 'DEFAULT_4XX']);
      expect(answer?.head).toMatch(/^connection: close$/im);
      await isAlive(server);
    },
  );

  test('of a request to upgrade the connection is a request like any other', async () => {
    const { port } = await aServer();
    expect((await raw(port, get('/videos', 'Connection: Upgrade', 'Upgrade: websocket')))[0]?.status).toBe(200);
    expect((await raw(port, get('/videos', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c')))[0]?.status).toBe(
      200,
    );
  });
});

describe('a body', () => {
  test('in chunks arrives whole', async () => {
    const server = await aServer();
    const body = '3\r\n{"a\r\n5;ext=1\r\n":"ü\r\n2\r\n"}\r\n0\r\nX-Trailer: x\r\n\r\n';
    const [answer] = await raw(server.port, Buffer.from(post('', 'Transfer-Encoding: chunked') + body, 'utf8'));
    expect(answer?.status).toBe(200);
    expect(server.events[0]).toMatchObject({ body: '{"a":"ü"}' });
  });

  test.each([
    ['a chunk without a length', post('zz\r\nabc\r\n', 'Transfer-Encoding: chunked')],
    ['a chunk of a length beyond all numbers', post('fffffffffffffffff\r\n', 'Transfer-Encoding: chunked')],
    ['a length that is none', post('abc', 'Content-Length: x')],
    ['a negative length', post('abc', 'Content-Length: -1')],
    ['two lengths', post('abc', 'Content-Length: 3', 'Content-Length: 4')],
    ['a length and chunks', post('0\r\n\r\n', 'Content-Length: 3', 'Transfer-Encoding: chunked')],
    ['an unknown transfer', post('abc', 'Transfer-Encoding: rot13')],
    ['a header without a name', get('/videos', ': x')],
    ['a header with a space before its colon', get('/videos', 'X-A : x')],
    ['a bare line feed in a header', get('/videos', 'X-A: x\ny')],
    ['a null byte in a header', get('/videos', 'X-A: x\u0000y')],
    ['no HTTP', 'hello\r\n\r\n'],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
    ['another HTTP', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('or head with %s is a 400, and nothing is done', async (_, bytes) => {
    const server = await aServer();
    const answers = await raw(server.port, bytes);
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(typeOf(answers[0])).toBe('DEFAULT_4XX');
    expect(server.events).toEqual([]);
    await isAlive(server);
  });

  test('that is shorter than it says, and then ends, is a 400', async () => {
    const server = await aServer();
    const [answer] = await raw(server.port, post('{"a"', 'Content-Length: 100'), { end: true });
    expect([answer?.status, typeOf(answer)]).toEqual([400, 'DEFAULT_4XX']);
    expect(server.events).toEqual([]);
    await isAlive(server);
  });

  test.each([
    ['a body that never comes', post('{"a"', 'Content-Length: 100')],
    ['a head that never ends', 'GET /videos HTTP/1.1\r\nHost: a\r\nX-'],
  ])('%s is waited for a while, not for ever', async (_, bytes) => {
    const server = await aServer({}, {}, { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 });
    const [answer] = await raw(server.port, bytes);
    expect([answer?.status, typeOf(answer)]).toEqual([408, 'DEFAULT_4XX']);
    expect(server.events).toEqual([]);
  });

  test('that is longer than it says is cut off, and the rest is no request', async () => {
    const server = await aServer();
    const answers = await raw(server.port, post('{}{"more":1}', 'Content-Length: 2'), { answers: 2 });
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
    expect(server.events.map(({ body }) => body)).toEqual(['{}']);
  });

  test('that its sender wants to be asked for is asked for', async () => {
    const server = await aServer();
    const bytes = post('{}', 'Content-Length: 2', 'Expect: 100-continue');
    expect((await raw(server.port, bytes))[0]?.status).toBe(200);
    const [answer] = await raw(server.port, post('{}', 'Content-Length: 2', 'Expect: the unexpected'));
    expect([answer?.status, typeOf(answer)]).toEqual([417, 'DEFAULT_4XX']);
    expect(server.events).toHaveLength(1);
  });

  test('that is no UTF-8 arrives with marks in its place', async () => {
    const server = await aServer();
    const bytes = Buffer.concat([Buffer.from(post('', 'Content-Length: 4')), Buffer.from([0x22, 0xff, 0xc3, 0x22])]);
    await raw(server.port, bytes);
    expect(server.events[0]).toMatchObject({ body: '"\ufffd\ufffd"', isBase64Encoded: false });
  });

  test('of a form arrives byte for byte where the API takes it so', async () => {
    const server = await aServer({ binary_media_types: ['multipart/form-data'] });
    const head = post('', 'Content-Length: 3', 'Content-Type: Multipart/Form-Data; boundary="x"');
    await raw(server.port, Buffer.concat([Buffer.from(head), Buffer.from([0, 0xff, 0xc3])]));
    expect(server.events[0]).toMatchObject({ body: 'AP/D', isBase64Encoded: true });
  });

  test('over 10 MB is a 413, in chunks too', async () => {
    const server = await aServer();
    const megabytes = 11;
    const chunk = `100000\r\n${'x'.repeat(0x10_0000)}\r\n`;
    const bytes = [post('', 'Transfer-Encoding: chunked'), chunk.repeat(megabytes), '0\r\n\r\n'].join('');
    const [answer] = await raw(server.port, bytes);
    expect([answer?.status, typeOf(answer)]).toEqual([413, 'REQUEST_TOO_LARGE']);
    expect(server.events).toEqual([]);
  });
});

describe('a host', () => {
  test('may be missing in HTTP/1.0: then the address stands for it', async () => {
    const server = await aServer();
    expect((await raw(server.port, 'GET /videos HTTP/1.0\r\n\r\n'))[0]?.status).toBe(200);
    expect(server.events[0]).toMatchObject({
      headers: { 'X-Forwarded-Proto': 'http', 'X-Forwarded-Port': String(server.port) },
      requestContext: { domainName: `127.0.0.1:${server.port}`, protocol: 'HTTP/1.0' },
    });
  });

  test('may not be missing in HTTP/1.1, nor be two', async () => {
    const server = await aServer();
    for (const hosts of ['', 'Host: a\r\nHost: b\r\n']) {
      const [answer] = await raw(server.port, `GET /videos HTTP/1.1\r\n${hosts}\r\n`);
      expect([answer?.status, typeOf(answer)]).toEqual([400, 'DEFAULT_4XX']);
    }
    expect(server.events).toEqual([]);
  });

  test('is told with its port, so that an address made of it works', async () => {
    const server = await aServer();
    await raw(server.port, get('/videos'));
    expect(server.events[0]).toMatchObject({ requestContext: { domainName: 'api.test:4400' } });
  });
});

describe('several requests in one connection', () => {
  test('are each answered, in their order', async () => {
    const server = await aServer();
    const answers = await raw(server.port, get('/videos') + get('/nowhere') + get('/videos/7'), { answers: 3 });
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 200]);
  });

  test('are answered up to one that is none, which is refused after them', async () => {
    const server = await aServer();
    const answers = await raw(server.port, `${get('/videos')}rubbish\r\n\r\n`, { answers: 2 });
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
  });
});

test('a client that goes away while it sends, or while it is answered, disturbs nobody', async () => {
  const server = await aServer();
  for (const bytes of [post('{"a"', 'Content-Length: 100'), get('/videos'), 'GET /vid']) {
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes, () => socket.resetAndDestroy()));
      socket.on('close', () => resolve());
    });
  }
  await isAlive(server);
});

test.each([
  ['a line break in a header', { 'X-A': 'a\r\nX-B: b' }],
  ['a letter that no header takes', { 'X-A': '\u4f60' }],
  ['a name that is none', { 'X A': 'a' }],
])('a function’s answer with %s is a 502, and the next one is fine', async (_, headers) => {
  let calls = 0;
  const server = await aServer(
    {},
    { handler: () => ({ statusCode: 200, body: 'ok', headers: calls++ === 0 ? headers : {} }) },
  );
  const [answer] = await raw(server.port, get('/videos'));
  expect([answer?.status, typeOf(answer)]).toEqual([502, 'DEFAULT_5XX']);
  await isAlive(server);
});
