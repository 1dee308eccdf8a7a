import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createChecksum } from '../../../local/aws/s3/body/checksum.ts';
import { type RawRequest, send, sha256, signed } from './support/raw-request.ts';
import { errorOf, startS3 } from './support/start-s3.ts';

const Bucket = 'files';
const body = 'hello';
const crc32Of = (data: string | Buffer) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(data));
  return bytes.toString('base64');
};
const base64 = (algorithm: string, data: string | Buffer) => createHash(algorithm).update(data).digest('base64');

describe('checksums', () => {
  // "Check" values from the catalogue of parametrised CRC algorithms.
  test.each([
    ['CRC32', 'cbf43926'],
    ['CRC32C', 'e3069283'],
    ['CRC64NVME', 'ae8b14860a799888'],
  ] as const)('%s of 123456789 is %s, in one or several updates', async (algorithm, expected) => {
    for (const pieces of [['123456789'], ['1', '2345', '', '6789']]) {
      const sum = createChecksum(algorithm);
      for (const piece of pieces) sum.update(Buffer.from(piece));
      expect(Buffer.from(await sum.digest(), 'base64').toString('hex')).toBe(expected);
    }
  });

  test.each([
    ['CRC32', 'ChecksumCRC32'],
    ['CRC32C', 'ChecksumCRC32C'],
    ['SHA1', 'ChecksumSHA1'],
    ['SHA256', 'ChecksumSHA256'],
  ] as const)('the SDK’s %s is verified, stored and returned', async (ChecksumAlgorithm, member) => {
    const s3 = await startS3();
    const put = await s3.sdk.send(new PutObjectCommand({ Bucket, Key: 'key', Body: body, ChecksumAlgorithm }));
    const head = await s3.sdk.send(new HeadObjectCommand({ Bucket, Key: 'key', ChecksumMode: 'ENABLED' }));
    expect(head[member]).toMatch(/=$/);
    expect(put[member]).toBe(head[member]);
    expect(head.ChecksumType).toBe('FULL_OBJECT');
  });

  test('without a checksum the server computes CRC64NVME, as S3 does', async () => {
    const s3 = await startS3();
    await send(s3.endpoint, { method: 'PUT', path: '/files/key', body: '123456789' });
    const head = await s3.sdk.send(new HeadObjectCommand({ Bucket, Key: 'key', ChecksumMode: 'ENABLED' }));
    expect(head.ChecksumCRC64NVME).toBe('rosUhgp5mIg=');
  });

  test('checksums are returned only on request, and never with a range', async () => {
    const s3 = await startS3();
    await s3.sdk.send(new PutObjectCommand({ Bucket, Key: 'key', Body: body }));
    const silent = s3.client({ responseChecksumValidation: 'WHEN_REQUIRED' });
    expect((await silent.send(new GetObjectCommand({ Bucket, Key: 'key' }))).ChecksumCRC32).toBeUndefined();
    const part = await s3.sdk.send(new GetObjectCommand({ Bucket, Key: 'key', Range: 'bytes=0-1' }));
    expect(part.ChecksumCRC32).toBeUndefined();
  });

  test.each<[string, Partial<RawRequest>, string]>([
    ['a CRC32 of other bytes', { headers: { 'x-amz-checksum-crc32': crc32Of('other') } }, 'BadDigest'],
    ['a SHA-256 of other bytes', { headers: { 'x-amz-checksum-sha256': base64('sha256', 'other') } }, 'BadDigest'],
    ['a CRC64NVME of other bytes', { headers: { 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' } }, 'BadDigest'],
    ['a checksum of the wrong length', { headers: { 'x-amz-checksum-crc32': 'AAAA' } }, 'InvalidRequest'],
    [
      'two checksums',
      { headers: { 'x-amz-checksum-crc32': crc32Of(body), 'x-amz-checksum-sha1': base64('sha1', body) } },
      'InvalidRequest',
    ],
    [
      'an announced checksum that is missing',
      { headers: { 'x-amz-sdk-checksum-algorithm': 'CRC32' } },
      'InvalidRequest',
    ],
    ['an unsupported checksum', { headers: { 'x-amz-checksum-xxhash64': 'AAAAAAAAAAA=' } }, 'NotImplemented'],
    ['an MD5 of other bytes', { headers: { 'content-md5': base64('md5', 'other') } }, 'BadDigest'],
    ['an invalid MD5', { headers: { 'content-md5': 'AAAA' } }, 'InvalidDigest'],
    ['a signed SHA-256 of other bytes', { payload: sha256('other') }, 'XAmzContentSHA256Mismatch'],
    ['an invalid signed SHA-256', { payload: 'nonsense' }, 'InvalidArgument'],
  ])('%s is rejected and nothing is stored', async (_, change, code) => {
    const s3 = await startS3();
    const response = await send(s3.endpoint, { method: 'PUT', path: '/files/key', body, ...change });
    expect(response).toMatchObject({ code, status: code === 'NotImplemented' ? 501 : 400 });
    expect((await send(s3.endpoint, { path: '/files/key' })).code).toBe('NoSuchKey');
    expect(s3.events).toEqual([]);
  });

  test('valid checksums are accepted', async () => {
    const s3 = await startS3();
    const headers = { 'content-md5': base64('md5', body), 'x-amz-checksum-sha256': base64('sha256', body) };
    expect((await send(s3.endpoint, { method: 'PUT', path: '/files/key', body, headers })).status).toBe(200);
  });
});

describe('aws-chunked', () => {
  const bytes = Buffer.alloc(20_000, 'x');
  const pieces = [bytes.subarray(0, 8192), bytes.subarray(8192)];

  interface Tampering {
    chunk?: (at: number, chunk: string) => string;
    end?: string;
    length?: number;
  }

  async function upload(endpoint: string, tampering: Tampering = {}) {
    const headers = {
      'x-amz-decoded-content-length': String(tampering.length ?? bytes.length),
      'x-amz-trailer': 'x-amz-checksum-crc32',
    };
    const payload = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
    const head = signed(endpoint, { method: 'PUT', path: '/files/key', headers, payload });
    const chunks = [...pieces, Buffer.alloc(0)].map((piece, at) => {
      const chunk = `${piece.length.toString(16)}\r\n${piece}${piece.length > 0 ? '\r\n' : ''}`;
      return tampering.chunk?.(at, chunk) ?? chunk;
    });
    const sent = Buffer.from(chunks.join('') + (tampering.end ?? `x-amz-checksum-crc32:${crc32Of(bytes)}\r\n\r\n`));
    const { host: _, ...fetchHeaders } = head.headers as Record<string, string>;
    const response = await fetch(`${endpoint}/files/key`, { method: 'PUT', headers: fetchHeaders, body: sent });
    return { status: response.status, code: /<Code>(\w+)/.exec(await response.text())?.[1] };
  }

  test('is decoded', async () => {
    const s3 = await startS3();
    expect(await upload(s3.endpoint)).toEqual({ status: 200 });
    expect((await send(s3.endpoint, { path: '/files/key' })).text).toBe(bytes.toString());
  });

  test('with signed chunks is rejected by name', async () => {
    const s3 = await startS3();
    const payload = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
    const response = await send(s3.endpoint, { method: 'PUT', path: '/files/key', body, payload });
    expect([response.code, response.text]).toEqual(['NotImplemented', expect.stringContaining(payload)]);
  });

  const flip = (at: number) => (each: number, chunk: string) => (each === at ? chunk.replace('xx', 'xy') : chunk);
  test.each<[string, Tampering, string]>([
    ['a changed byte', { chunk: flip(1) }, 'BadDigest'],
    ['a wrong trailing checksum', { end: `x-amz-checksum-crc32:${crc32Of('other')}\r\n\r\n` }, 'BadDigest'],
    ['a missing trailer', { end: '\r\n' }, 'MalformedTrailerError'],
    ['a trailer that is not a header', { end: 'nonsense\r\n\r\n' }, 'MalformedTrailerError'],
    [
      'a body that ends before its last chunk',
      { chunk: (at, chunk) => (at === 2 ? '' : chunk), end: '' },
      'IncompleteBody',
    ],
    ['less than x-amz-decoded-content-length', { length: bytes.length + 1 }, 'IncompleteBody'],
    ['more than x-amz-decoded-content-length', { length: bytes.length - 1 }, 'IncompleteBody'],
    ['a body that is not chunked', { chunk: () => 'hello\r\n' }, 'InvalidRequest'],
  ])('%s is rejected', async (_, tampering, code) => {
    const s3 = await startS3();
    expect(await upload(s3.endpoint, tampering)).toMatchObject({ code });
    expect((await send(s3.endpoint, { path: '/files/key' })).code).toBe('NoSuchKey');
  });
});

describe('streams', () => {
  async function* buffers(count: number, size: number) {
    for (let i = 0; i < count; i++) yield Buffer.alloc(size, i);
  }

  test('the SDK streams a Readable with a trailing SHA-256, which a HEAD returns', async () => {
    const s3 = await startS3();
    const [count, size] = [100, 65_536];
    const expected = createHash('sha256');
    for await (const piece of buffers(count, size)) expected.update(piece);
    await s3.sdk.send(
      new PutObjectCommand({
        Bucket,
        Key: 'video.mp4',
        Body: Readable.from(buffers(count, size)),
        ContentLength: count * size,
        ContentType: 'video/mp4',
        ChecksumAlgorithm: 'SHA256',
      }),
    );
    const head = await s3.sdk.send(new HeadObjectCommand({ Bucket, Key: 'video.mp4', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({
      ContentLength: count * size,
      ContentType: 'video/mp4',
      ChecksumSHA256: expected.digest('base64'),
      ChecksumType: 'FULL_OBJECT',
    });
    expect(head.ContentEncoding).toBeUndefined();
  });

  test('buffers under 8 KiB become chunks that S3 rejects, unless the client joins them', async () => {
    const s3 = await startS3();
    const put = () =>
      new PutObjectCommand({ Bucket, Key: 'key', Body: Readable.from(buffers(30, 1000)), ContentLength: 30_000 });
    expect(await errorOf(s3.sdk.send(put()))).toBe('InvalidChunkSizeError 403');
    expect(await errorOf(s3.client({ requestStreamBufferSize: 65_536 }).send(put()))).toBe('no error');
  });

  test('a stream with another length than declared is rejected', async () => {
    const s3 = await startS3();
    const put = new PutObjectCommand({
      Bucket,
      Key: 'key',
      Body: Readable.from([Buffer.alloc(10)]),
      ContentLength: 11,
    });
    expect(await errorOf(s3.sdk.send(put))).toBe('IncompleteBody 400');
  });

  test('a body without a length is rejected', async () => {
    const s3 = await startS3();
    const { headers } = signed(s3.endpoint, { method: 'PUT', path: '/files/key', payload: 'UNSIGNED-PAYLOAD' });
    const status = await new Promise((resolve, reject) => {
      const sent = request(`${s3.endpoint}/files/key`, { method: 'PUT', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      sent.write('hello');
      sent.end();
    });
    expect(status).toBe(411);
  });

  test('an upload that is rejected halfway gets a response and keeps its connection', async () => {
    const s3 = await startS3();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const ports = new Set<number | undefined>();
    const put = async (first: string) => {
      const headers = { 'x-amz-decoded-content-length': '3000000', 'x-amz-trailer': 'x-amz-checksum-crc32' };
      const payload = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
      const head = signed(s3.endpoint, { method: 'PUT', path: '/files/key', headers, payload });
      const sent = request(`${s3.endpoint}/files/key`, { method: 'PUT', headers: head.headers, agent });
      sent.write(first);
      sent.end(Buffer.alloc(3_000_000));
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      ports.add(response.socket.localPort);
      return /<Code>(\w+)/.exec(Buffer.concat(await response.toArray()).toString())?.[1];
    };
    expect(await put('nonsense\r\n')).toBe('InvalidRequest');
    expect(await put('1\r\nx\r\n2\r\nxx\r\n')).toBe('InvalidChunkSizeError');
    expect(await put('nonsense\r\n')).toBe('InvalidRequest');
    expect(ports.size).toBe(1);
  });

  test('memory use does not depend on the size', async () => {
    const s3 = await startS3();
    const size = 64 << 20;
    const piece = Buffer.alloc(1 << 20, 1);
    const { headers } = signed(s3.endpoint, {
      method: 'PUT',
      path: '/files/big',
      headers: { 'content-length': String(size) },
      payload: 'UNSIGNED-PAYLOAD',
    });
    let most = 0;
    const before = process.memoryUsage().arrayBuffers;
    const status = await new Promise((resolve, reject) => {
      const sent = request(`${s3.endpoint}/files/big`, { method: 'PUT', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      const source = (function* () {
        for (let at = 0; at < size; at += piece.length) {
          most = Math.max(most, process.memoryUsage().arrayBuffers - before);
          yield piece;
        }
      })();
      Readable.from(source, { highWaterMark: 1 }).pipe(sent);
    });
    expect(status).toBe(200);
    expect(most).toBeLessThan(32 << 20);
  });

  test('a connection that is closed midway leaves nothing', async () => {
    const s3 = await startS3();
    const { headers } = signed(s3.endpoint, {
      method: 'PUT',
      path: '/files/key',
      headers: { 'content-length': '1000000' },
      payload: 'UNSIGNED-PAYLOAD',
    });
    await new Promise<void>((resolve) => {
      const sent = request(`${s3.endpoint}/files/key`, { method: 'PUT', headers });
      sent.on('error', () => resolve());
      sent.write(Buffer.alloc(200_000), () => setTimeout(() => sent.destroy(new Error('cut')), 20));
    });
    const blobs = () => readdir(`${s3.directory}/buckets/files/blobs`);
    for (let i = 0; i < 100 && (await blobs()).length > 0; i++) await sleep(5);
    expect(await blobs()).toEqual([]);
    expect((await send(s3.endpoint, { path: '/files/key' })).code).toBe('NoSuchKey');
    expect(s3.events).toEqual([]);
  });
});
