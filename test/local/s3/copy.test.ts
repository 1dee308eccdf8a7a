import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { send } from './support/raw-request.ts';
import { errorOf, startS3 } from './support/start-s3.ts';

async function start() {
  const s3 = await startS3({ buckets: { source: { versioned: true }, target: {} } });
  const stored = await s3.sdk.send(
    new PutObjectCommand({
      Bucket: 'source',
      Key: 'drop/a b+ü',
      Body: 'hello',
      ContentType: 'image/png',
      Metadata: { prompt: 'a cat' },
    }),
  );
  const copy = (input: Partial<CopyObjectCommandInput> = {}) =>
    s3.sdk.send(
      new CopyObjectCommand({
        Bucket: 'target',
        Key: 'copy',
        CopySource: `source/${encodeURIComponent('drop/a b+ü')}`,
        ...input,
      }),
    );
  return { ...s3, stored, copy };
}

describe('CopyObject', () => {
  test('copies bytes, metadata and checksum into another bucket', async () => {
    const s3 = await start();
    const response = await s3.copy();
    expect(response).toMatchObject({
      CopySourceVersionId: s3.stored.VersionId,
      CopyObjectResult: { ETag: s3.stored.ETag, ChecksumCRC32: s3.stored.ChecksumCRC32 },
    });
    const copied = await s3.sdk.send(new GetObjectCommand({ Bucket: 'target', Key: 'copy' }));
    expect(copied).toMatchObject({ ContentType: 'image/png', Metadata: { prompt: 'a cat' } });
    expect(await copied.Body!.transformToString()).toBe('hello');
    expect(s3.events.at(-1)).toMatchObject({ reason: 'CopyObject', bucket: 'target', key: 'copy', size: 5 });
    expect(s3.calls.map((call) => call.action)).toContain('s3:GetObject');
  });

  test('the copy survives the deletion of its source', async () => {
    const s3 = await start();
    await s3.copy();
    const source = { Bucket: 'source', Key: 'drop/a b+ü', VersionId: s3.stored.VersionId };
    await s3.sdk.send(new DeleteObjectCommand(source));
    const copied = await s3.sdk.send(new GetObjectCommand({ Bucket: 'target', Key: 'copy' }));
    expect(await copied.Body!.transformToString()).toBe('hello');
  });

  test('metadata is replaced only with the directive REPLACE', async () => {
    const s3 = await start();
    const attributes = { ContentType: 'video/mp4', Metadata: { model: 'wan' } };
    await s3.copy(attributes);
    expect(await s3.sdk.send(new HeadObjectCommand({ Bucket: 'target', Key: 'copy' }))).toMatchObject({
      ContentType: 'image/png',
      Metadata: { prompt: 'a cat' },
    });
    await s3.copy({ ...attributes, MetadataDirective: 'REPLACE', TaggingDirective: 'REPLACE' });
    expect(await s3.sdk.send(new HeadObjectCommand({ Bucket: 'target', Key: 'copy' }))).toMatchObject({
      ContentType: 'video/mp4',
      Metadata: { model: 'wan' },
    });
  });

  test('tagging and annotation directives have no effect', async () => {
    const s3 = await start();
    const headers = {
      'x-amz-copy-source': '/source/drop/a%20b%2B%C3%BC',
      'x-amz-object-annotation-directive': 'EXCLUDE',
      'x-amz-tagging-directive': 'REPLACE',
    };
    expect((await send(s3.endpoint, { method: 'PUT', path: '/target/copy', headers })).status).toBe(200);
  });

  test('an object uploaded in parts becomes a single part', async () => {
    const s3 = await start();
    const target = { Bucket: 'target', Key: 'parts' };
    const { UploadId } = await s3.sdk.send(new CreateMultipartUploadCommand(target));
    const part = { ...target, UploadId, PartNumber: 1 };
    const { ETag } = await s3.sdk.send(new UploadPartCommand({ ...part, Body: 'hello' }));
    const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] };
    await s3.sdk.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }));
    const { CopyObjectResult } = await s3.copy({ CopySource: 'target/parts' });
    expect(CopyObjectResult).toMatchObject({ ETag: s3.stored.ETag, ChecksumType: 'FULL_OBJECT' });
  });

  test('a named version is copied', async () => {
    const s3 = await start();
    await s3.sdk.send(new PutObjectCommand({ Bucket: 'source', Key: 'drop/a b+ü', Body: 'newer' }));
    await s3.copy({ CopySource: `source/drop/a%20b%2B%C3%BC?versionId=${s3.stored.VersionId}` });
    const copied = await s3.sdk.send(new GetObjectCommand({ Bucket: 'target', Key: 'copy' }));
    expect(await copied.Body!.transformToString()).toBe('hello');
    expect(s3.calls.map((call) => call.action)).toContain('s3:GetObjectVersion');
  });

  test.each<[string, Partial<CopyObjectCommandInput>, string]>([
    ['onto itself without changes', { Bucket: 'source', Key: 'drop/a b+ü' }, 'InvalidRequest 400'],
    ['from a missing key', { CopySource: 'source/none' }, 'NoSuchKey 404'],
    ['from a missing bucket', { CopySource: 'nowhere/none' }, 'NoSuchBucket 404'],
    ['from a source without a key', { CopySource: 'source' }, 'InvalidArgument 400'],
    ['when the source has another entity tag', { CopySourceIfMatch: '"other"' }, 'PreconditionFailed 412'],
    ['with an unknown directive', { MetadataDirective: 'MERGE' as 'COPY' }, 'InvalidArgument 400'],
  ])('%s it is rejected', async (_, input, expected) => {
    const s3 = await start();
    expect(await errorOf(s3.copy(input))).toBe(expected);
  });
});
