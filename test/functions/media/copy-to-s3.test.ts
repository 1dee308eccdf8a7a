import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
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

async function archive(listener: RequestListener, more: { maxBytes?: number; signal?: AbortSignal } = {}) {
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
    ['an expired address', serving({}, Buffer.from('<Error/>'), 403), { outcome: 'url_expired', retryable: false }],
    ['a deleted file', serving({}, Buffer.from(''), 404), { outcome: 'not_found', retryable: false }],
    [
      'a redirect',
      serving({ location: 'http://127.0.0.1:1/' }, Buffer.from(''), 302),
      { outcome: 'redirected', retryable: false },
    ],
    [
      'a large file',
      serving({}, Buffer.alloc(1_000_001)),
      { outcome: 'too_large', retryable: false, bytes: 1_000_001 },
    ],
    ['an error page', serving({ 'content-type': 'text/html' }), { outcome: 'wrong_type', retryable: true }],
    [
      'a service in trouble',
      serving({}, Buffer.from('x'), 503),
      { outcome: 'download_failed', retryable: true, cause: 'http_503' },
    ],
    [
      'compression',
      serving({ 'content-encoding': 'gzip' }, Buffer.from('x')),
      { outcome: 'unknown_length', retryable: true },
    ],
    [
      'no length',
      ((_, response) => {
        response.writeHead(200, { 'content-type': 'video/mp4' });
        response.write('a');
        response.end('b');
      }) as RequestListener,
      { outcome: 'unknown_length', retryable: true },
    ],
  ])('%s has an outcome of its own, and nothing is stored', async (_, listener, expected) => {
    expect(await archive(listener)).toEqual(expected);
    expect(bucket.objects.size).toBe(0);
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
