import { brotliCompressSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { method, serve } from './serve-api.ts';

const post = method('/videos', { http_method: 'POST' });
const text = JSON.stringify({ prompt: 'Ein Kätzchen 🐈' });
const aPost = (body: Buffer | string, encoding: string | string[]) => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json', 'content-encoding': encoding },
});

describe('a body', () => {
  test.each([
    ['gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['identity', Buffer.from(text)],
  ])('in %s arrives unpacked', async (encoding, body) => {
    const { send, events } = await serve({ methods: [post] });
    expect((await send('/videos', aPost(body, encoding))).status).toBe(200);
    expect(events[0]).toMatchObject({ body: text, isBase64Encoded: false });
  });

  test.each([
    ['br', brotliCompressSync(text)],
    ['zstd', 'x'],
    ['gzip, gzip', gzipSync(gzipSync(text))],
    ['constructor', text],
    ['gzip', text],
    ['gzip', gzipSync(text).subarray(0, 20)],
    ['deflate', gzipSync(text)],
  ])('in %s is a 415 if the service cannot unpack it', async (encoding, body) => {
    const { send, events } = await serve({ methods: [post] });
    const response = await send('/videos', aPost(body, encoding));
    expect([response.status, response.headers['x-amzn-errortype']]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
    expect(events).toEqual([]);
  });

  test('of more than 10 MB unpacked is a 413', async () => {
    const { send } = await serve({ methods: [post] });
    const bomb = gzipSync(Buffer.alloc(11 * 1024 * 1024));
    expect((await send('/videos', aPost(bomb, 'gzip'))).status).toBe(413);
  });
});

describe('a response', () => {
  const big = 'x'.repeat(2000);
  const get = async (accept: string | undefined, { body = big, headers = {} } = {}) => {
    const { send } = await serve(
      { minimum_compression_size: 1024 },
      { handler: () => ({ statusCode: 200, headers, body }) },
    );
    return send('/videos', { headers: accept === undefined ? {} : { 'accept-encoding': accept } });
  };

  test.each([
    ['gzip', 'gzip'],
    ['deflate', 'deflate'],
    ['gzip, deflate, br', 'gzip'],
    ['br, gzip', 'gzip'],
    ['gzip;q=0.5, deflate;q=0.9', 'deflate'],
  ])('for Accept-Encoding: %s is packed by %s', async (accept, coding) => {
    const response = await get(accept);
    expect(response.headers['content-encoding']).toBe(coding);
    expect(response.headers['content-length']).toBe(String(response.body.length));
    expect((coding === 'gzip' ? gunzipSync : inflateSync)(response.body).toString()).toBe(big);
  });

  test.each([[undefined], ['*'], ['br'], ['br, gzip;q=0.5'], ['gzip;q=0'], ['identity'], ['']])(
    'for Accept-Encoding: %s is not packed',
    async (accept) => {
      const response = await get(accept);
      expect(response.headers).not.toHaveProperty('content-encoding');
      expect(response.body.toString()).toBe(big);
    },
  );

  test('is not packed below the minimum, without one, or if the integration has done so', async () => {
    expect((await get('gzip', { body: 'x'.repeat(1023) })).headers).not.toHaveProperty('content-encoding');
    const { send } = await serve({}, { handler: () => ({ statusCode: 200, body: big }) });
    const plain = await send('/videos', { headers: { 'accept-encoding': 'gzip' } });
    expect(plain.headers).not.toHaveProperty('content-encoding');
    expect((await get('gzip', { headers: { 'Content-Encoding': 'br' } })).headers['content-encoding']).toBe('br');
  });
});
