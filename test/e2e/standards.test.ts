import { request as httpRequest } from 'node:http';
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import document from '../../functions/api/openapi/document.ts';
import { type Endpoint, openLocal } from '../support/endpoint.ts';
import { aRequest } from '../support/requests.ts';

const origin = 'https://app.example';
let api: Endpoint;
let video: string;
/** The last part of the link that a DashScope client gets. */
let file: string;
beforeAll(async () => {
  ({ endpoint: api } = await openLocal({ cors: [origin] }));
  video = String((await api.post('/videos', aRequest('A cat'))).body.id);
  await api.finished(video);
  const webhook = JSON.stringify({ url: 'https://receiver.invalid/' });
  await api.call('/webhook', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: webhook });
  const { output } = (await api.call(`/api/v1/tasks/${video}`)).body as { output: { video_url: string } };
  file = output.video_url.split('/').at(-1)!;
});
afterAll(() => api?.close());

interface Raw {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** Sends a request without what fetch adds and unpacks. */
const send = (
  method: string,
  route: string,
  headers: Record<string, string> = {},
  body?: string | Buffer,
): Promise<Raw> =>
  new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      `${api.url}${route}`,
      { method, headers: { authorization: `Bearer ${api.api_key}`, ...headers } },
      async (incoming) => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk as Buffer);
        resolve({
          status: incoming.statusCode!,
          headers: incoming.headers as Record<string, string>,
          body: Buffer.concat(chunks),
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });

const { paths } = JSON.parse(JSON.stringify(document)) as { paths: Record<string, Record<string, object>> };
const routeOf = (path: string) =>
  path
    .replace(/\{(id|task_id)\}/, () => video)
    .replace('{sequence}', '1')
    .replace('{file}', () => file)
    .replace('{name}', 'wan2.2-i2v-flash')
    .replace(/uploads$/, (name) =>
      path.startsWith('/api') ? `${name}?action=getPolicy&model=wan2.2-i2v-flash` : name,
    );
const reads = Object.keys(paths).filter((path) => 'get' in paths[path]!);

describe('HEAD', () => {
  test.each(reads)('%s is GET without the body', async (path) => {
    const [head, get] = await Promise.all([send('HEAD', routeOf(path)), send('GET', routeOf(path))]);
    const varying = ['date', 'x-amzn-requestid', 'location', 'content-length'];
    const lasting = ({ headers }: Raw) => Object.entries(headers).filter(([name]) => !varying.includes(name));
    expect(head.status).toBe(get.status);
    expect(get.status).toBe(/\/content$|\{file\}$/.test(path) ? 302 : 200);
    expect(lasting(head)).toEqual(lasting(get));
    expect(head.headers.location?.split('?')[0]).toBe(get.headers.location?.split('?')[0]);
    expect(head.body.length).toBe(0);
  });

  test('needs the same key', async () => {
    for (const path of ['/videos', '/models', `/videos/${video}`, '/api/v1/tasks'])
      expect((await send('HEAD', path, { authorization: 'Bearer wrong' })).status).toBe(401);
  });
});

describe('a method that a route lacks', () => {
  const cases = Object.keys(paths).flatMap((path) =>
    ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
      .filter((method) => !(method.toLowerCase() in paths[path]!) && !(method === 'HEAD' && 'get' in paths[path]!))
      .map((method) => [method, path] as const),
  );
  test.each(cases)('%s %s is a 405 with Allow', async (method, path) => {
    const { status, headers, body } = await send(method, routeOf(path), { 'content-type': 'text/plain' });
    expect(status).toBe(405);
    const own = Object.keys(paths[path]!).map((name) => name.toUpperCase());
    expect(headers.allow!.split(', ')).toEqual([...own, ...(own.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort());
    const code = /^\/api\/v1\/(?!files)/.test(path) ? 'MethodNotAllowed' : 'method_not_allowed';
    if (method !== 'HEAD') expect(JSON.parse(body.toString())).toMatchObject({ code });
  });
});

describe('a body', () => {
  const posts = ['/videos', '/estimates', '/uploads', '/api/v1/services/aigc/video-generation/video-synthesis'];
  const json = { 'content-type': 'application/json', 'x-dashscope-async': 'enable' };
  const text = (prompt: string) => JSON.stringify(aRequest(prompt));
  const tasks = async () => ((await api.call('/videos?limit=100')).body.data as unknown[]).length;

  test.each([
    ['Latin-1', Buffer.from(text('café'), 'latin1')],
    ['UTF-16', Buffer.from(text('café'), 'utf16le')],
    ['Windows quotes', Buffer.from(text('“x”').replaceAll('“', '\x93').replaceAll('”', '\x94'), 'latin1')],
    ['half a character', Buffer.from(text('猫')).subarray(0, Buffer.from(text('猫')).indexOf('猫') + 2)],
  ])('in %s is a 400 on every route and makes nothing', async (_, body) => {
    const before = await tasks();
    for (const route of posts) {
      const answer = await send(
        'POST',
        route,
        { ...json, 'content-type': 'application/json; charset=iso-8859-1' },
        body,
      );
      expect(answer.status, route).toBe(400);
      expect(answer.body.toString()).toContain('not UTF-8');
    }
    expect(await tasks()).toBe(before);
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const)('in %s is unpacked', async (coding, pack) => {
    const answer = await send(
      'POST',
      '/estimates',
      { ...json, 'content-encoding': coding },
      pack(text('Ein Kätzchen')),
    );
    expect(answer.status).toBe(200);
  });

  test.each([
    ['br', brotliCompressSync(text('x'))],
    ['zstd', Buffer.from('x')],
    ['gzip', Buffer.from(text('x'))],
  ])('in %s that cannot be unpacked is a 415 with what can', async (coding, body) => {
    for (const route of posts) {
      const {
        status,
        headers,
        body: answer,
      } = await send('POST', route, { ...json, 'content-encoding': coding }, body);
      expect([status, headers['accept-encoding']]).toEqual([415, 'gzip, deflate, identity']);
      expect(JSON.parse(answer.toString())).toMatchObject({ code: 'unsupported_content_encoding' });
    }
  });
});

describe('large answers', () => {
  test.each(['/', '/docs', '/openapi.json', '/models'])('%s is compressed and has an ETag', async (path) => {
    const [packed, plain] = await Promise.all([send('GET', path, { 'accept-encoding': 'gzip' }), send('GET', path)]);
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
    expect(packed.body.length).toBeLessThan(plain.body.length / 2);
    const etag = plain.headers.etag!;
    const again = await send('GET', path, { 'if-none-match': etag, 'accept-encoding': 'gzip' });
    expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, etag]);
  });
});

describe('a page of another origin', () => {
  const readable = ({ headers }: Raw) => headers['access-control-allow-origin'];

  test.each(Object.keys(paths))('may call %s', async (path) => {
    const preflight = await send('OPTIONS', routeOf(path), {
      authorization: '',
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    });
    expect(preflight.status).toBe(204);
    expect(readable(preflight)).toBe(origin);
    expect(preflight.headers['access-control-allow-headers']).toMatch(/authorization/i);
    const own = Object.keys(paths[path]!).map((method) => method.toUpperCase());
    for (const method of own) expect(preflight.headers['access-control-allow-methods']).toContain(method);
    // The console is a page, not a resource of pages.
    if (path === '/') return;
    for (const method of own.filter((name) => name !== 'DELETE')) {
      const answer = await send(method, routeOf(path), { origin }, method === 'POST' ? '{' : undefined);
      expect(readable(answer), `${method} ${answer.status}`).toBe(path === '/openapi.json' ? '*' : origin);
    }
  });

  test('may read the errors of the gateway', async () => {
    const wrong = await send('GET', '/videos', { origin, authorization: 'Bearer wrong' });
    const unknown = await send('GET', '/nothing', { origin });
    expect([wrong.status, readable(wrong), unknown.status, readable(unknown)]).toEqual([401, origin, 404, origin]);
  });

  test('that is not in the list may not call', async () => {
    for (const [method, path] of [
      ['OPTIONS', '/videos'],
      ['GET', '/videos'],
      ['OPTIONS', '/api/v1/tasks'],
    ] as const)
      expect(readable(await send(method, path, { origin: 'https://evil.example' }))).toBeUndefined();
  });

  test('may fetch a video by its link', async () => {
    const { body } = await api.call(`/videos/${video}/content`, { headers: { accept: 'application/json' } });
    const response = await fetch(String(body.url), { headers: { origin, range: 'bytes=0-9' } });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([206, '*']);
    await response.arrayBuffer();
  });
});
