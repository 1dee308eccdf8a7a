import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  type ChecksumAlgorithm,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { createChecksum } from '../../../local/aws/s3/body/checksum.ts';
import { errorOf, startS3 } from './support/start-s3.ts';

const Bucket = 'files';
const Key = 'video.mp4';
const mebibyte = 1 << 20;
const parts = [Buffer.alloc(5 * mebibyte, 'a'), Buffer.alloc(5 * mebibyte, 'b'), Buffer.from('end')];
const allBytes = Buffer.concat(parts);
const md5 = (bytes: Buffer) => createHash('md5').update(bytes);
const composite = `"${createHash('md5')
  .update(Buffer.concat(parts.map((part) => md5(part).digest())))
  .digest('hex')}-3"`;

async function start(input: Partial<CreateMultipartUploadCommandInput> = {}) {
  const s3 = await startS3();
  const { UploadId } = await s3.sdk.send(new CreateMultipartUploadCommand({ Bucket, Key, ...input }));
  const upload = { Bucket, Key, UploadId };
  const sendPart = async (PartNumber: number, Body: Buffer | string, ChecksumAlgorithm?: ChecksumAlgorithm) => ({
    PartNumber,
    ...(await s3.sdk.send(new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm }))),
  });
  const complete = (
    Parts: { PartNumber: number; ETag?: string }[],
    more: Partial<CompleteMultipartUploadCommandInput> = {},
  ) => s3.sdk.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }));
  return { ...s3, upload, sendPart, complete };
}

describe('a multipart upload', () => {
  test('becomes one object with a composite entity tag and the attributes of its creation', async () => {
    const s3 = await start({ ContentType: 'video/mp4', Metadata: { prompt: 'a cat' } });
    const sent = await Promise.all(parts.map((part, at) => s3.sendPart(at + 1, part)));
    expect(await errorOf(s3.sdk.send(new GetObjectCommand({ Bucket, Key })))).toBe('NoSuchKey 404');
    expect(await s3.complete(sent)).toMatchObject({ ETag: composite, Bucket, Key });
    const response = await s3.sdk.send(new GetObjectCommand({ Bucket, Key }));
    expect(response).toMatchObject({ ContentType: 'video/mp4', Metadata: { prompt: 'a cat' }, ETag: composite });
    expect(Buffer.from(await response.Body!.transformToByteArray()).equals(allBytes)).toBe(true);
    expect(s3.events).toMatchObject([
      { reason: 'CompleteMultipartUpload', size: allBytes.length, etag: composite.slice(1, -1) },
    ]);
    expect(await readdir(`${s3.directory}/buckets/files/blobs`)).toHaveLength(1);
  });

  test('a repeated part replaces the first', async () => {
    const s3 = await start();
    const first = await s3.sendPart(1, 'wrong');
    const second = await s3.sendPart(1, 'right');
    expect(await errorOf(s3.complete([first]))).toBe('InvalidPart 400');
    await s3.complete([second]);
    expect((await s3.sdk.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength).toBe(5);
  });

  test.each([
    ['SHA256', 'COMPOSITE'],
    ['SHA1', 'COMPOSITE'],
    ['CRC32', 'COMPOSITE'],
    ['CRC32C', 'COMPOSITE'],
    ['CRC64NVME', 'FULL_OBJECT'],
  ] as const)('with %s has S3’s default checksum type %s', async (algorithm, type) => {
    const s3 = await start({ ChecksumAlgorithm: algorithm });
    const sent = await Promise.all([parts[0]!, parts[2]!].map((part, at) => s3.sendPart(at + 1, part, algorithm)));
    const sum = createChecksum(algorithm);
    for (const part of [parts[0]!, parts[2]!]) {
      const own = createChecksum(algorithm);
      own.update(part);
      sum.update(type === 'COMPOSITE' ? Buffer.from(await own.digest(), 'base64') : part);
    }
    const value = `${await sum.digest()}${type === 'COMPOSITE' ? '-2' : ''}`;
    expect(await s3.complete(sent)).toMatchObject({ [`Checksum${algorithm}`]: value, ChecksumType: type });
    const head = await s3.sdk.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ [`Checksum${algorithm}`]: value, ChecksumType: type });
  });

  test('is not completed with an unexpected size, and can be completed afterwards', async () => {
    const s3 = await start();
    const part = await s3.sendPart(1, 'hello');
    expect(await errorOf(s3.complete([part], { MpuObjectSize: 4 }))).toBe('InvalidRequest 400');
    expect(await errorOf(s3.complete([part], { MpuObjectSize: 5 }))).toBe('no error');
  });

  test('accepts only parts with the checksum algorithm of its creation', async () => {
    const s3 = await start({ ChecksumAlgorithm: 'SHA256' });
    expect(await errorOf(s3.sendPart(1, 'hello', 'CRC32'))).toBe('InvalidRequest 400');
    const { PartNumber, ETag } = await s3.sendPart(1, 'hello', 'SHA256');
    expect(await errorOf(s3.complete([{ PartNumber, ETag }]))).toBe('InvalidRequest 400');
  });

  test('every part but the last needs 5 MiB', async () => {
    const s3 = await start();
    const sent = [await s3.sendPart(1, parts[0]!.subarray(1)), await s3.sendPart(2, 'end')];
    expect(await errorOf(s3.complete(sent))).toBe('EntityTooSmall 400');
  });

  test.each<
    [string, (sent: { PartNumber: number; ETag?: string }[]) => { PartNumber: number; ETag?: string }[], string]
  >([
    ['parts out of order', (sent) => sent.toReversed(), 'InvalidPartOrder 400'],
    ['a repeated part', ([first]) => [first!, first!], 'InvalidPartOrder 400'],
    ['a missing part', (sent) => [...sent, { PartNumber: 9, ETag: '"x"' }], 'InvalidPart 400'],
    ['another entity tag', ([first]) => [{ ...first!, ETag: '"x"' }], 'InvalidPart 400'],
    ['no parts', () => [], 'MalformedXML 400'],
  ])('rejects %s', async (_, change, expected) => {
    const s3 = await start();
    const sent = [await s3.sendPart(1, 'one'), await s3.sendPart(2, 'two')];
    const named = sent.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
    expect(await errorOf(s3.complete(change(named)))).toBe(expected);
  });

  test('copies parts from objects', async () => {
    const s3 = await start();
    await s3.sdk.send(new PutObjectCommand({ Bucket, Key: 'source', Body: parts[0] }));
    const copyPart = async (PartNumber: number, CopySourceRange?: string) => {
      const command = new UploadPartCopyCommand({
        ...s3.upload,
        PartNumber,
        CopySource: 'files/source',
        CopySourceRange,
      });
      return { PartNumber, ETag: (await s3.sdk.send(command)).CopyPartResult?.ETag };
    };
    await s3.complete([await copyPart(1), await copyPart(2, 'bytes=0-2')]);
    const response = await s3.sdk.send(new GetObjectCommand({ Bucket, Key }));
    const expected = Buffer.concat([parts[0]!, Buffer.from('aaa')]);
    expect(Buffer.from(await response.Body!.transformToByteArray()).equals(expected)).toBe(true);
    expect(await errorOf(copyPart(3, 'bytes=0-99999999'))).toMatch(/NoSuchUpload|InvalidArgument/);
  });

  test('is gone after an abort', async () => {
    const s3 = await start();
    const part = await s3.sendPart(1, 'one');
    await s3.sdk.send(new AbortMultipartUploadCommand(s3.upload));
    expect(await errorOf(s3.complete([part]))).toBe('NoSuchUpload 404');
    expect(await errorOf(s3.sendPart(2, 'two'))).toBe('NoSuchUpload 404');
    await s3.close();
    expect(await readdir(`${s3.directory}/buckets/files/blobs`)).toEqual([]);
  });

  test('is completed only once', async () => {
    const s3 = await start();
    const part = await s3.sendPart(1, 'one');
    const outcomes = await Promise.all([1, 2, 3].map(() => errorOf(s3.complete([part]))));
    expect(outcomes.sort()).toEqual(['NoSuchUpload 404', 'NoSuchUpload 404', 'no error']);
    expect(s3.events).toHaveLength(1);
  });

  test('has part numbers from 1 to 10,000', async () => {
    const s3 = await start();
    expect(await errorOf(s3.sendPart(0, 'x'))).toBe('InvalidArgument 400');
    expect(await errorOf(s3.sendPart(10_001, 'x'))).toBe('InvalidArgument 400');
  });
});
