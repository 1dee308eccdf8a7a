import { request } from 'node:http';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { signed } from './support/raw-request.ts';
import { errorOf, startS3, type TestS3 } from './support/start-s3.ts';

const Bucket = 'files';
const Key = 'key';

function put(s3: TestS3, input: { Body?: string; IfNoneMatch?: string; IfMatch?: string } = {}) {
  return s3.sdk.send(new PutObjectCommand({ Bucket, Key, Body: 'hello', ...input }));
}

describe('If-None-Match: *', () => {
  test('exactly one of 100 concurrent puts succeeds', async () => {
    const s3 = await startS3({ buckets: { files: { versioned: true } } });
    const attempts = Array.from({ length: 100 }, (_, i) => put(s3, { Body: `writer ${i}`, IfNoneMatch: '*' }));
    const outcomes = await Promise.all(attempts.map(errorOf));
    const winner = outcomes.indexOf('no error');
    expect(outcomes.filter((outcome) => outcome === 'PreconditionFailed 412')).toHaveLength(99);
    const stored = await s3.sdk.send(new GetObjectCommand({ Bucket, Key }));
    expect(await stored.Body!.transformToString()).toBe(`writer ${winner}`);
    expect(s3.events).toHaveLength(1);
  });

  test('a delete marker does not count as an object', async () => {
    const s3 = await startS3({ buckets: { files: { versioned: true } } });
    await put(s3);
    await s3.sdk.send(new DeleteObjectCommand({ Bucket, Key }));
    expect(await errorOf(put(s3, { IfNoneMatch: '*' }))).toBe('no error');
  });

  test('any other value is rejected', async () => {
    const s3 = await startS3();
    expect(await errorOf(put(s3, { IfNoneMatch: '"tag"' }))).toBe('NotImplemented 501');
  });

  test('applies to the completion of a multipart upload', async () => {
    const s3 = await startS3();
    const { UploadId } = await s3.sdk.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const part = await s3.sdk.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'part' }));
    await put(s3);
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] };
    const complete = new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload, IfNoneMatch: '*' });
    expect(await errorOf(s3.sdk.send(complete))).toBe('PreconditionFailed 412');
  });
});

describe('If-Match', () => {
  test('replaces only the matching object', async () => {
    const s3 = await startS3();
    expect(await errorOf(put(s3, { IfMatch: '"any"' }))).toBe('NoSuchKey 404');
    const { ETag } = await put(s3);
    expect(await errorOf(put(s3, { IfMatch: '"other"', Body: 'no' }))).toBe('PreconditionFailed 412');
    expect(await errorOf(put(s3, { IfMatch: ETag, Body: 'yes' }))).toBe('no error');
  });

  test('an object that changes during the upload is a conflict', async () => {
    const s3 = await startS3();
    const { ETag } = await put(s3);
    const { headers } = signed(s3.endpoint, {
      method: 'PUT',
      path: '/files/key',
      headers: { 'if-match': ETag!, 'content-length': '10' },
      payload: 'UNSIGNED-PAYLOAD',
    });
    const sent = request(`${s3.endpoint}/files/key`, {
      method: 'PUT',
      headers: { ...headers, expect: '100-continue' },
    });
    const status = new Promise<number | undefined>((resolve, reject) => {
      sent.on('error', reject).on('response', (response) => resolve(response.resume().statusCode));
    });
    await new Promise((resolve) => sent.on('continue', resolve));
    await new Promise((resolve) => sent.write('slow ', resolve));
    while (s3.calls.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await put(s3, { Body: 'quick' });
    sent.end('hello');
    expect(await status).toBe(409);
    const stored = await s3.sdk.send(new GetObjectCommand({ Bucket, Key }));
    expect(await stored.Body!.transformToString()).toBe('quick');
  });
});
