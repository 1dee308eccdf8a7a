import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { streamToS3 } from '../../../functions/media/copy-to-s3.ts';
import { type Bucket, type Serving, serve, serveBucket } from './archive-servers.ts';

let bucket: Bucket;
let s3: S3Client;
let origin: Serving | undefined;
beforeEach(async () => {
  bucket = await serveBucket();
  s3 = new S3Client({
    endpoint: bucket.origin,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterEach(async () => {
  s3.destroy();
  await origin?.close();
  origin = undefined;
  await bucket.close();
});

const video = Buffer.alloc(700_000, 'firstframe');
const serving =
  (head: Record<string, string | number>, body: Buffer = video, status = 200): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'video/mp4', 'content-length': body.length, ...head }).end(body);
  };

const chunked =
  (body: Buffer = video, piece = 30_000): RequestListener =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'video/mp4' });
    for (let at = 0; at < body.length; at += piece) response.write(body.subarray(at, at + piece));
    response.end();
  };

const compressed = (encoding: string, body: Buffer): RequestListener => serving({ 'content-encoding': encoding }, body);

/** Without a length and without chunks: the connection ends the body. */
const endedByConnection =
  (body: Buffer = video): RequestListener =>
  (request) => {
    request.socket.end(
      Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n\r\n'), body]),
    );
  };

async function archive(
  listener: RequestListener,
  more: { maxBytes?: number; signal?: AbortSignal; follow?: (url: string) => string | undefined } = {},
) {
  origin = await serve(listener);
  const times = [1000, 1250];
  return streamToS3({
    s3,
    fetch,
    url: `${origin.origin}/v.mp4?Expires=1&Signature=secret`,
    bucket: 'videos',
    key: 'id/1-1.mp4',
    content_type: 'video/mp4',
    maxBytes: 1_000_000,
    now: () => times.shift() ?? 0,
    ...more,
  });
}

describe('streamToS3', () => {
  test('stores the file whole, with its length, digest and type', async () => {
    expect(await archive(serving({}))).toEqual({
      outcome: 'stored',
      bytes: video.length,
      sha256: createHash('sha256').update(video).digest('hex'),
      content_type: 'video/mp4',
      version_id: 'v1',
      etag: '"e1"',
      elapsed_ms: 250,
    });
    const stored = bucket.objects.get('/videos/id/1-1.mp4');
    expect(stored?.body.equals(video)).toBe(true);
    expect(stored?.type).toBe('video/mp4');
    expect(stored?.digest).toBe('x-amz-checksum-sha256');
  });

  test.each([
    ['an expired address', serving({}, Buffer.from('<Error/>'), 403), { outcome: 'url_expired', retryable: true }],
    ['a deleted file', serving({}, Buffer.from(''), 404), { outcome: 'not_found', retryable: true }],
    [
      'a redirect',
      serving({ location: 'http://127.0.0.1:1/' }, Buffer.from(''), 302),
      { outcome: 'redirected', retryable: false },
    ],
    ['a large file', serving({}, Buffer.alloc(1_000_001)), { outcome: 'too_large', retryable: false }],
    ['a large file without a length', chunked(Buffer.alloc(1_000_001)), { outcome: 'too_large', retryable: false }],
    [
      'a file that is small when compressed',
      compressed('gzip', gzipSync(Buffer.alloc(50_000_000))),
      { outcome: 'too_large', retryable: false },
    ],
    [
      'the beginning of a file',
      serving({ 'content-range': `bytes 0-${video.length - 1}/${video.length + 1}` }, video, 206),
      { outcome: 'partial', retryable: false },
    ],
    [
      'the end of a file',
      serving({ 'content-range': `bytes 5-${video.length + 4}/${video.length + 5}` }, video, 206),
      { outcome: 'partial', retryable: false },
    ],
    ['a part of unknown place', serving({}, video, 206), { outcome: 'partial', retryable: false }],
    [
      'a part of a file of unknown length',
      serving({ 'content-range': `bytes 0-${video.length - 1}/*` }, video, 206),
      { outcome: 'partial', retryable: false },
    ],
    [
      'several parts',
      serving({ 'content-type': 'multipart/byteranges; boundary=x' }, video, 206),
      { outcome: 'partial', retryable: false },
    ],
    [
      'no content',
      serving({}, Buffer.from(''), 204),
      { outcome: 'download_failed', retryable: true, cause: 'http_204' },
    ],
    ['an error page', serving({ 'content-type': 'text/html' }), { outcome: 'wrong_type', retryable: true }],
    [
      'a service in trouble',
      serving({}, Buffer.from('x'), 503),
      { outcome: 'download_failed', retryable: true, cause: 'http_503' },
    ],
  ])('%s has an outcome of its own, and nothing is stored', async (_, listener, expected) => {
    expect(await archive(listener)).toEqual(expected);
    expect(bucket.objects.size).toBe(0);
  });

  test.each<[string, RequestListener]>([
    ['chunks without a length', chunked()],
    ['chunks of one byte', chunked(video.subarray(0, 2000), 1)],
    ['gzip', compressed('gzip', gzipSync(video))],
    ['brotli', compressed('br', brotliCompressSync(video))],
    ['deflate', compressed('deflate', deflateSync(video))],
    [
      'gzip in chunks',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'video/mp4', 'content-encoding': 'gzip' });
        response.write(gzipSync(video).subarray(0, 20));
        response.end(gzipSync(video).subarray(20));
      },
    ],
    ['an encoding that is none', compressed('binary', video)],
    ['an empty encoding', compressed('', video)],
    ['a body that the connection ends', endedByConnection()],
    [
      'a 206 of the whole file',
      serving({ 'content-range': `bytes 0-${video.length - 1}/${video.length}` }, video, 206),
    ],
    ['a 203', serving({}, video, 203)],
    ['a plain text type', serving({ 'content-type': 'text/plain' })],
  ])('stores a file that arrives as %s whole, by one PutObject with its length and digest', async (_, listener) => {
    const outcome = await archive(listener);
    const { body } = bucket.objects.get('/videos/id/1-1.mp4') ?? {};
    expect(outcome).toMatchObject({
      outcome: 'stored',
      bytes: body?.length,
      sha256: createHash('sha256')
        .update(body ?? '')
        .digest('hex'),
    });
    expect(video.subarray(0, body?.length).equals(body ?? Buffer.alloc(1))).toBe(true);
    expect([video.length, 2000]).toContain(body?.length);
    expect(bucket.ended).toBe(1);
  });

  test('stores no file without a provable length whose downloads differ', async () => {
    for (const second of [
      video.subarray(0, -1),
      Buffer.concat([video, Buffer.from('x')]),
      Buffer.alloc(video.length),
    ]) {
      let downloads = 0;
      const outcome = await archive((request, response) =>
        chunked(downloads++ === 0 ? video : second)(request, response),
      );
      expect(outcome).toMatchObject({
        outcome: 'interrupted',
        retryable: true,
        cause: expect.stringMatching(/^unexpected_/),
      });
      expect(bucket.objects.size).toBe(0);
      await origin?.close();
    }
  });

  test.each([1, 30_000, video.length - 1])('chunks that break off after %i bytes leave no object', async (bytes) => {
    for (const failing of [0, 1]) {
      let downloads = 0;
      const outcome = await archive((request, response) => {
        if (downloads++ !== failing) return chunked()(request, response);
        response.writeHead(200, { 'content-type': 'video/mp4' });
        response.write(video.subarray(0, bytes), () => setTimeout(() => response.destroy(), 5));
      });
      expect(outcome).toMatchObject({ outcome: failing === 0 ? 'download_failed' : 'interrupted', retryable: true });
      expect(bucket.objects.size).toBe(0);
      await origin?.close();
    }
  });

  test('follows a redirect to a trusted URL only, relative ones included, and at most three', async () => {
    const asked: string[] = [];
    const follow = (url: string) => {
      asked.push(new URL(url).pathname);
      return url.includes('untrusted') ? undefined : url;
    };
    const redirecting =
      (hops: number, last = ''): RequestListener =>
      (request, response) => {
        const hop = Number(/hop=(\d+)/.exec(request.url ?? '')?.[1] ?? 0);
        if (hop === hops) return serving({})(request, response);
        response
          .writeHead(hop % 2 ? 302 : 307, { location: `/next${hop + 1 === hops ? last : ''}.mp4?hop=${hop + 1}` })
          .end();
      };
    expect(await archive(redirecting(3), { follow })).toMatchObject({ outcome: 'stored', bytes: video.length });
    await origin?.close();
    bucket.objects.clear();
    const refused = { outcome: 'redirected', retryable: false };
    expect(await archive(redirecting(4), { follow })).toEqual(refused);
    await origin?.close();
    expect(await archive(redirecting(1, '-untrusted'), { follow })).toEqual(refused);
    await origin?.close();
    expect(await archive(serving({ location: 'http://[' }, Buffer.from(''), 302), { follow })).toEqual(refused);
    await origin?.close();
    expect(await archive(serving({}, Buffer.from(''), 302), { follow })).toEqual(refused);
    expect(bucket.objects.size).toBe(0);
    expect(asked).toContain('/next-untrusted.mp4');
  });

  test.each([0, 1, 300_000, video.length - 1])('a download cut after %i bytes leaves no object', async (bytes) => {
    const outcome = await archive((_, response) => {
      response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': video.length });
      response.write(video.subarray(0, bytes), () => setTimeout(() => response.destroy(), 5));
      response.flushHeaders();
    });
    expect(outcome).toMatchObject({ outcome: 'interrupted', retryable: true });
    expect(bucket.objects.size).toBe(0);
    // Broken off, not brought to an end that S3 would have to judge.
    expect(bucket.ended).toBe(0);
  });

  test('asks for the uncompressed file, since a compressed length proves nothing', async () => {
    let accepted: string | undefined;
    await archive((request, response) => {
      accepted = request.headers['accept-encoding']?.toString();
      serving({})(request, response);
    });
    expect(accepted).toBe('identity');
  });

  test('an unreachable host has an outcome of its own', async () => {
    origin = await serve(() => undefined);
    const url = `${origin.origin}/v.mp4`;
    await origin.close();
    const outcome = await streamToS3({
      ...{ s3, fetch, url, bucket: 'videos', key: 'k', content_type: 'video/mp4', maxBytes: 10, now: Date.now },
    });
    expect(outcome).toEqual({ outcome: 'download_failed', retryable: true, cause: 'ECONNREFUSED' });
  });

  test('does not report an object with another digest as stored', async () => {
    bucket.mode = 'lie';
    expect(await archive(serving({}))).toEqual({ outcome: 'checksum_mismatch', retryable: true, version_id: 'v1' });
  });

  test('asks for the digest of the written version where PutObject does not return it', async () => {
    bucket.mode = 'silent';
    expect(await archive(serving({}))).toMatchObject({ outcome: 'stored', version_id: 'v1' });
  });

  test('does not report an object without a digest as stored', async () => {
    bucket.mode = 'mute';
    expect(await archive(serving({}))).toEqual({ outcome: 'checksum_mismatch', retryable: true, version_id: 'v1' });
  });

  test('distinguishes a refusal of S3 from a failed download', async () => {
    bucket.mode = 'refuse';
    expect(await archive(serving({}))).toMatchObject({ outcome: 'store_failed', retryable: true });
  });

  test("the caller's signal ends a hanging download", async () => {
    const ending = new AbortController();
    const outcome = await archive(
      (_, response) => {
        response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': video.length });
        response.write(video.subarray(0, 1000));
        setTimeout(() => ending.abort(), 20);
      },
      { signal: ending.signal },
    );
    expect(outcome).toEqual({ outcome: 'interrupted', retryable: true, cause: 'aborted' });
    expect(bucket.objects.size).toBe(0);
  });

  test('no outcome shows the signed address', async () => {
    for (const status of [200, 302, 403, 500]) {
      expect(JSON.stringify(await archive(serving({}, video, status)))).not.toContain('secret');
      await origin?.close();
    }
  });

  test('memory stays flat: a file of 120 MB goes through in small pieces', async () => {
    const piece = Buffer.alloc(1 << 20, 7);
    const pieces = 120;
    let most = 0;
    const before = process.memoryUsage().arrayBuffers;
    const sent: string[] = [];
    const counting = {
      send: async (command: { input: { Body: AsyncIterable<Uint8Array> } }) => {
        const hash = createHash('sha256');
        for await (const chunk of command.input.Body) {
          hash.update(chunk);
          most = Math.max(most, process.memoryUsage().arrayBuffers - before);
        }
        sent.push('whole');
        return { ChecksumSHA256: hash.digest('base64') };
      },
    } as unknown as S3Client;
    const download: typeof fetch = async () =>
      new Response(
        new ReadableStream({
          pull: (() => {
            let left = pieces;
            return (controller: ReadableStreamDefaultController) => {
              if (left === 0) controller.close();
              else controller.enqueue(new Uint8Array(piece));
              left -= 1;
            };
          })(),
        }),
        { headers: { 'content-length': String(pieces * piece.length), 'content-type': 'video/mp4' } },
      );
    const outcome = await streamToS3({
      ...{ s3: counting, fetch: download, url: 'https://a.example/', bucket: 'b', key: 'k' },
      ...{ content_type: 'video/mp4', maxBytes: 1e9, now: Date.now },
    });
    expect(outcome).toMatchObject({ outcome: 'stored', bytes: pieces * piece.length });
    expect(most).toBeLessThan(100 << 20);
  });
});
