import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { aServer, get, isAlive, post, raw, typeOf } from './raw-http.ts';

describe('a body', () => {
  test('in chunks arrives complete', async () => {
    const server = await aServer();
    const body = '3\r\n{"a\r\n5;ext=1\r\n":"ü\r\n2\r\n"}\r\n0\r\nX-Trailer: x\r\n\r\n';
    const [response] = await raw(server.port, Buffer.from(post('', 'Transfer-Encoding: chunked') + body, 'utf8'));
    expect(response?.status).toBe(200);
    expect(server.events[0]).toMatchObject({ body: '{"a":"ü"}' });
  });

  test.each([
    ['a chunk without a length', post('zz\r\nabc\r\n', 'Transfer-Encoding: chunked')],
    ['a chunk with a huge length', post('fffffffffffffffff\r\n', 'Transfer-Encoding: chunked')],
    ['an invalid length', post('abc', 'Content-Length: x')],
    ['a negative length', post('abc', 'Content-Length: -1')],
    ['two lengths', post('abc', 'Content-Length: 3', 'Content-Length: 4')],
    ['both a length and chunks', post('0\r\n\r\n', 'Content-Length: 3', 'Transfer-Encoding: chunked')],
    ['an unsupported transfer encoding', post('abc', 'Transfer-Encoding: rot13')],
    ['a header without a name', get('/videos', ': x')],
    ['a header with a space before its colon', get('/videos', 'X-A : x')],
    ['a bare line feed in a header', get('/videos', 'X-A: x\ny')],
    ['a null byte in a header', get('/videos', 'X-A: x\u0000y')],
    ['a body that is not HTTP', 'hello\r\n\r\n'],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
    ['another HTTP version', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('or head with %s is a 400 and does not reach the function', async (_, bytes) => {
    const server = await aServer();
    const responses = await raw(server.port, bytes);
    expect(responses.map(({ status }) => status)).toEqual([400]);
    expect(typeOf(responses[0])).toBe('DEFAULT_4XX');
    expect(server.events).toEqual([]);
    await isAlive(server);
  });

  test('that ends before its declared length is a 400', async () => {
    const server = await aServer();
    const [response] = await raw(server.port, post('{"a"', 'Content-Length: 100'), { end: true });
    expect([response?.status, typeOf(response)]).toEqual([400, 'DEFAULT_4XX']);
    expect(server.events).toEqual([]);
    await isAlive(server);
  });

  test.each([
    ['a body that never arrives', post('{"a"', 'Content-Length: 100')],
    ['a head that never ends', 'GET /videos HTTP/1.1\r\nHost: a\r\nX-'],
  ])('%s ends with a timeout', async (_, bytes) => {
    const server = await aServer({}, {}, { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 });
    const [response] = await raw(server.port, bytes);
    expect([response?.status, typeOf(response)]).toEqual([408, 'DEFAULT_4XX']);
    expect(server.events).toEqual([]);
  });

  test('that is longer than declared is truncated, and the rest is not a valid request', async () => {
    const server = await aServer();
    const responses = await raw(server.port, post('{}{"more":1}', 'Content-Length: 2'), { responses: 2 });
    expect(responses.map(({ status }) => status)).toEqual([200, 400]);
    expect(server.events.map(({ body }) => body)).toEqual(['{}']);
  });

  test('with Expect: 100-continue is requested', async () => {
    const server = await aServer();
    const bytes = post('{}', 'Content-Length: 2', 'Expect: 100-continue');
    expect((await raw(server.port, bytes))[0]?.status).toBe(200);
    const [response] = await raw(server.port, post('{}', 'Content-Length: 2', 'Expect: the-unexpected'));
    expect([response?.status, typeOf(response)]).toEqual([417, 'DEFAULT_4XX']);
    expect(server.events).toHaveLength(1);
  });

  test('that is not UTF-8 arrives with replacement characters', async () => {
    const server = await aServer();
    const bytes = Buffer.concat([Buffer.from(post('', 'Content-Length: 4')), Buffer.from([0x22, 0xff, 0xc3, 0x22])]);
    await raw(server.port, bytes);
    expect(server.events[0]).toMatchObject({ body: '"\ufffd\ufffd"', isBase64Encoded: false });
  });

  test('of a form arrives unchanged if its media type is binary', async () => {
    const server = await aServer({ binary_media_types: ['multipart/form-data'] });
    const head = post('', 'Content-Length: 3', 'Content-Type: Multipart/Form-Data; boundary="x"');
    await raw(server.port, Buffer.concat([Buffer.from(head), Buffer.from([0, 0xff, 0xc3])]));
    expect(server.events[0]).toMatchObject({ body: 'AP/D', isBase64Encoded: true });
  });

  test('over 10 MB is a 413, even in chunks', async () => {
    const server = await aServer();
    const megabytes = 11;
    const chunk = `100000\r\n${'x'.repeat(0x10_0000)}\r\n`;
    const bytes = [post('', 'Transfer-Encoding: chunked'), chunk.repeat(megabytes), '0\r\n\r\n'].join('');
    const [response] = await raw(server.port, bytes);
    expect([response?.status, typeOf(response)]).toEqual([413, 'REQUEST_TOO_LARGE']);
    expect(server.events).toEqual([]);
  });
});

describe('pipelined requests', () => {
  test('are answered in order', async () => {
    const server = await aServer();
    const responses = await raw(server.port, get('/videos') + get('/nowhere') + get('/videos/7'), { responses: 3 });
    expect(responses.map(({ status }) => status)).toEqual([200, 403, 200]);
  });

  test('are answered up to an invalid one, which is rejected after them', async () => {
    const server = await aServer();
    const responses = await raw(server.port, `${get('/videos')}rubbish\r\n\r\n`, { responses: 2 });
    expect(responses.map(({ status }) => status)).toEqual([200, 400]);
  });
});

test('a client that disconnects during its request or the response does not affect others', async () => {
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
  ['an invalid character in a header', { 'X-A': '\u4f60' }],
  ['an invalid header name', { 'X A': 'a' }],
])('a function’s response with %s is a 502, and the next request succeeds', async (_, headers) => {
  let calls = 0;
  const server = await aServer(
    {},
    { handler: () => ({ statusCode: 200, body: 'ok', headers: calls++ === 0 ? headers : {} }) },
  );
  const [response] = await raw(server.port, get('/videos'));
  expect([response?.status, typeOf(response)]).toEqual([502, 'DEFAULT_5XX']);
  await isAlive(server);
});
