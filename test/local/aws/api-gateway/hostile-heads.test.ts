import { describe, expect, test } from 'vitest';
import { aServer, get, isAlive, raw, typeOf } from './raw-http.ts';

describe('headers that are too large are rejected with the API’s own response', () => {
  test.each([10_240, 16_384, 20_000, 1_000_000])('%i bytes in one header', async (bytes) => {
    const server = await aServer();
    const [response] = await raw(server.port, get('/videos', `X-Long: ${'x'.repeat(bytes)}`));
    expect([response?.status, typeOf(response)]).toEqual([431, 'DEFAULT_4XX']);
    expect(JSON.parse(response!.body).request_id).toMatch(/^[0-9a-f-]{36}$/);
    await isAlive(server);
  });

  test('a thousand small headers', async () => {
    const { port } = await aServer();
    const [response] = await raw(
      port,
      get('/videos', ...Array.from({ length: 1000 }, (_, index) => `X-${index}: a value`)),
    );
    expect([response?.status, typeOf(response)]).toEqual([431, 'DEFAULT_4XX']);
  });

  test.each([10_300, 100_000])('a path of %i bytes', async (bytes) => {
    const server = await aServer();
    const [response] = await raw(server.port, get(`/videos/${'x'.repeat(bytes)}`));
    expect([response?.status, typeOf(response)]).toEqual([431, 'DEFAULT_4XX']);
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
  ])('that is not a route is not normalized to one: %s', async (path) => {
    const server = await aServer();
    const [response] = await raw(server.port, get(path));
    expect([response?.status, typeOf(response)]).toEqual([403, 'MISSING_AUTHENTICATION_TOKEN']);
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
  ])('reaches its function as sent: /videos/%s', async (sent, id) => {
    const server = await aServer();
    expect((await raw(server.port, get(`/videos/${sent}`)))[0]?.status).toBe(200);
    expect(server.events[0]).toMatchObject({ resource: '/videos/{id}', pathParameters: { id } });
  });

  test.each(['/videos/%', '/videos/%2', '/videos/%zz', '/%', '/videos?a=%', '/videos?%zz=1', '/videos?a=1&b=%u0041'])(
    'or query with broken percent-encoding is a 400: %s',
    async (target) => {
      const server = await aServer();
      const [response] = await raw(server.port, get(target));
      expect([response?.status, typeOf(response)]).toEqual([400, 'DEFAULT_4XX']);
      expect(server.events).toEqual([]);
    },
  );

  test('with bytes that are not UTF-8 is handled', async () => {
    const server = await aServer();
    const target = Buffer.concat([Buffer.from('GET /videos/'), Buffer.from([0xff, 0xfe, 0xc0])]);
    const rest = Buffer.from(' HTTP/1.1\r\nHost: a\r\nX-Odd: ');
    const end = Buffer.concat([Buffer.from([0xff]), Buffer.from('\r\n\r\n')]);
    const [response] = await raw(server.port, Buffer.concat([target, rest, end]));
    expect([200, 400]).toContain(response?.status);
    await isAlive(server);
  });

  test('may be an absolute URL', async () => {
    const server = await aServer();
    await raw(server.port, get('http://api.test:4400/videos/7?a=b'));
    expect(server.events[0]).toMatchObject({ path: '/videos/7', queryStringParameters: { a: 'b' } });
  });

  test('that is invalid is a 400', async () => {
    const server = await aServer();
    for (const line of ['OPTIONS * HTTP/1.1', 'GET * HTTP/1.1']) {
      expect((await raw(server.port, `${line}\r\nHost: a\r\n\r\n`))[0]?.status).toBe(400);
    }
    expect(server.events).toEqual([]);
  });
});

describe('a method', () => {
  test.each(['PROPFIND', 'TRACE', 'PURGE', 'SEARCH', 'MKCOL'])(
    'that the API does not have is not a route: %s',
    async (name) => {
      const server = await aServer();
      for (const path of ['/videos', '/api/v1/tasks']) {
        const [response] = await raw(server.port, `${name} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
        expect([response?.status, typeOf(response)]).toEqual([403, 'MISSING_AUTHENTICATION_TOKEN']);
      }
      expect(server.events).toEqual([]);
    },
  );

  test.each(['CONNECT a:443', 'FOO /videos', 'get /videos', 'GETGETGET /videos', ' /videos'])(
    'that is invalid is a 400: %s',
    async (line) => {
      const server = await aServer();
      const [response] = await raw(server.port, `${line} HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect([response?.status, typeOf(response)]).toEqual([400, 'DEFAULT_4XX']);
      expect(response?.head).toMatch(/^connection: close$/im);
      await isAlive(server);
    },
  );

  test('of an upgrade request is handled as usual', async () => {
    const { port } = await aServer();
    expect((await raw(port, get('/videos', 'Connection: Upgrade', 'Upgrade: websocket')))[0]?.status).toBe(200);
    expect((await raw(port, get('/videos', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c')))[0]?.status).toBe(
      200,
    );
  });
});

describe('a Host header', () => {
  test('may be missing in HTTP/1.0 and defaults to the address', async () => {
    const server = await aServer();
    expect((await raw(server.port, 'GET /videos HTTP/1.0\r\n\r\n'))[0]?.status).toBe(200);
    expect(server.events[0]).toMatchObject({
      headers: { 'X-Forwarded-Proto': 'http', 'X-Forwarded-Port': String(server.port) },
      requestContext: { domainName: `127.0.0.1:${server.port}`, protocol: 'HTTP/1.0' },
    });
  });

  test('must exist exactly once in HTTP/1.1', async () => {
    const server = await aServer();
    for (const hosts of ['', 'Host: a\r\nHost: b\r\n']) {
      const [response] = await raw(server.port, `GET /videos HTTP/1.1\r\n${hosts}\r\n`);
      expect([response?.status, typeOf(response)]).toEqual([400, 'DEFAULT_4XX']);
    }
    expect(server.events).toEqual([]);
  });

  test('is passed on with its port, so that URLs built from it work', async () => {
    const server = await aServer();
    await raw(server.port, get('/videos'));
    expect(server.events[0]).toMatchObject({ requestContext: { domainName: 'api.test:4400' } });
  });
});
