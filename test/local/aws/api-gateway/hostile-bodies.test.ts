import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { aServer, get, isAlive, post, raw, typeOf } from './raw-requests.ts';

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
