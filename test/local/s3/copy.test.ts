import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { refusal, startS3 } from './support/start-s3.ts';

async function start() {
  const s3 = await startS3({ buckets: { source: { versioned: true }, target: {} } });
  const stored = await s3.sdk.send(
    new PutObjectCommand({
      Bucket: 'source',
      Key: 'drop/a b+ü',
      Body: 'hello',
      ContentType: 'image/png',
      Metadata: { prompt: 'a cat' },
      Tagging: 'a=b',
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
  test('copies bytes, metadata, tags and checksum into another bucket', async () => {
    const s3 = await start();
    const answer = await s3.copy();
    expect(answer).toMatchObject({
      CopySourceVersionId: s3.stored.VersionId,
      CopyObjectResult: { ETag: s3.stored.ETag, ChecksumCRC32: s3.stored.ChecksumCRC32 },
    });
    const copied = await s3.sdk.send(new GetObjectCommand({ Bucket: 'target', Key: 'copy' }));
    expect(copied).toMatchObject({ ContentType: 'image/png', Metadata: { prompt: 'a cat' }, TagCount: 1 });
    expect(await copied.Body!.transformToString()).toBe('hello');
    expect(s3.events.at(-1)).toMatchObject({ reason: 'CopyObject', bucket: 'target', key: 'copy', size: 5 });
    expect(s3.calls.map((call) => call.action)).toContain('s3:GetObject');
  });

  test('the copy outlives its source', async () => {
    const s3 = await start();
    await s3.copy();
    const source = { Bucket: 'source', Key: 'drop/a b+ü', VersionId: s3.stored.VersionId };
    await s3.sdk.send(new DeleteObjectCommand(source));
    const copied = await s3.sdk.send(new GetObjectCommand({ Bucket: 'target', Key: 'copy' }));
    expect(await copied.Body!.transformToString()).toBe('hello');
  });

  test('metadata and tags are replaced by directive, and only then', async () => {
    const s3 = await start();
    const given = { ContentType: 'video/mp4', Metadata: { model: 'wan' }, Tagging: 'c=d' };
    await s3.copy(given);
    expect(await s3.sdk.send(new HeadObjectCommand({ Bucket: 'target', Key: 'copy' }))).toMatchObject({
      ContentType: 'image/png',
      Metadata: { prompt: 'a cat' },
    });
    await s3.copy({ ...given, MetadataDirective: 'REPLACE', TaggingDirective: 'REPLACE' });
    expect(await s3.sdk.send(new HeadObjectCommand({ Bucket: 'target', Key: 'copy' }))).toMatchObject({
      ContentType: 'video/mp4',
      Metadata: { model: 'wan' },
    });
    const { TagSet } = await s3.sdk.send(new GetObjectTaggingCommand({ Bucket: 'target', Key: 'copy' }));
    expect(TagSet).toEqual([{ Key: 'c', Value: 'd' }]);
  });

  test('a named version is copied', async () => {
    const s3 = await start();
    await s3.sdk.send(new PutObjectCommand({ Bucket: 'source', Key: 'drop/a b+ü', Body: 'newer' }));
    await s3.copy({ CopySource: `source/drop/a%20b%2B%C3%BC?versionId=${s3.stored.VersionId}` });
    const copied = await s3.sdk.send(new GetObjectCommand({ Bucket: 'target', Key: 'copy' }));
    expect(await copied.Body!.transformToString()).toBe('hello');
    expect(s3.calls.map((call) => call.action)).toContain('s3:GetObjectVersion');
  });

  test('another checksum is computed on demand', async () => {
    const s3 = await start();
    const { CopyObjectResult } = await s3.copy({ ChecksumAlgorithm: 'SHA256' });
    expect(CopyObjectResult?.ChecksumSHA256).toBe('LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=');
  });

  test.each<[string, Partial<CopyObjectCommandInput>, string]>([
    ['onto itself without a change', { Bucket: 'source', Key: 'drop/a b+ü' }, 'InvalidRequest 400'],
    ['from a missing key', { CopySource: 'source/none' }, 'NoSuchKey 404'],
    ['from a missing bucket', { CopySource: 'nowhere/none' }, 'NoSuchBucket 404'],
    ['from a bucket alone', { CopySource: 'source' }, 'InvalidArgument 400'],
    ['when the source has another tag', { CopySourceIfMatch: '"other"' }, 'PreconditionFailed 412'],
    [
      'when the source has that tag',
      { CopySourceIfNoneMatch: '"5d41402abc4b2a76b9719d911017c592"' },
      'PreconditionFailed 412',
    ],
    ['with an unknown directive', { MetadataDirective: 'MERGE' as 'COPY' }, 'InvalidArgument 400'],
  ])('%s it is refused', async (_, input, expected) => {
    const s3 = await start();
    expect(await refusal(s3.copy(input))).toBe(expected);
  });
});
