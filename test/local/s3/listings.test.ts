import { mkdir, writeFile } from 'node:fs/promises';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { compareBytes } from '../../../local/aws/s3/store/version-index.ts';
import { errorOf, startS3, type TestS3, temporaryDirectory } from './support/start-s3.ts';

const Bucket = 'files';

async function startWith(keys: string[], versioned = false) {
  const s3 = await startS3({ buckets: { files: { versioned } } });
  for (const Key of keys) await s3.sdk.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  return s3;
}

async function list(s3: TestS3, input: Partial<ListObjectsV2CommandInput> = {}) {
  const response = await s3.sdk.send(new ListObjectsV2Command({ Bucket, ...input }));
  const prefixes = response.CommonPrefixes ?? [];
  return [...(response.Contents ?? []).map((each) => each.Key), ...prefixes.map((each) => each.Prefix)];
}

const tree = ['a', 'b/1', 'b/2', 'b/c/3', 'd', 'e/4'];

describe('ListObjectsV2', () => {
  test.each<[string, Partial<ListObjectsV2CommandInput>, string[]]>([
    ['everything', {}, tree],
    ['a prefix', { Prefix: 'b/' }, ['b/1', 'b/2', 'b/c/3']],
    ['a prefix that is not a folder', { Prefix: 'b/c' }, ['b/c/3']],
    ['a prefix without matches', { Prefix: 'x' }, []],
    ['folders', { Delimiter: '/' }, ['a', 'd', 'b/', 'e/']],
    ['nested folders', { Delimiter: '/', Prefix: 'b/' }, ['b/1', 'b/2', 'b/c/']],
    ['a long delimiter', { Delimiter: '/c/' }, ['a', 'b/1', 'b/2', 'd', 'e/4', 'b/c/']],
    ['after a key', { StartAfter: 'b/2' }, ['b/c/3', 'd', 'e/4']],
    ['after a missing key', { StartAfter: 'b/15' }, ['b/2', 'b/c/3', 'd', 'e/4']],
    ['after a key within a folder', { StartAfter: 'b/1', Delimiter: '/' }, ['d', 'b/', 'e/']],
    ['nothing', { MaxKeys: 0 }, []],
  ])('%s', async (_, input, expected) => {
    expect(await list(await startWith(tree), input)).toEqual(expected);
  });

  test.each([undefined, '/'])('pages are complete and without duplicates (delimiter %s)', async (Delimiter) => {
    const s3 = await startWith(tree);
    const whole = new Set(await list(s3, { Delimiter }));
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.sdk.send(new ListObjectsV2Command({ Bucket, Delimiter, MaxKeys: 1, ContinuationToken }));
      expect(page.KeyCount).toBe(1);
      seen.push(page.Contents?.[0]?.Key ?? page.CommonPrefixes?.[0]?.Prefix);
      expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined);
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    expect(new Set(seen)).toEqual(whole);
    expect(seen).toHaveLength(whole.size);
  });

  test('keys are ordered by UTF-8 bytes', async () => {
    const keys = ['Z', 'a', 'é', 'ﬁ', '\uffee', '𝄞', '😀', 'a\u0001', 'aa'];
    const expected = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(keys.toSorted(compareBytes)).toEqual(expected);
    expect(await list(await startWith(keys))).toEqual(expected);
  });

  test('keys are encoded on request', async () => {
    const s3 = await startWith(['a b/ü&<\u0001']);
    expect(await list(s3, { EncodingType: 'url' })).toEqual(['a%20b/%C3%BC%26%3C%01']);
    expect(await list(s3)).toEqual(['a b/ü&<\u0001']);
  });

  test('an object has all its elements', async () => {
    const s3 = await startWith(['a']);
    const { Contents } = await s3.sdk.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents).toMatchObject([
      {
        Key: 'a',
        Size: 1,
        ETag: '"0cc175b9c0f1b6a831c399e269772661"',
        StorageClass: 'STANDARD',
        ChecksumAlgorithm: ['CRC32'],
        LastModified: expect.any(Date),
      },
    ]);
  });

  test('an invalid token is rejected', async () => {
    expect(await errorOf(list(await startWith([]), { ContinuationToken: 'nonsense!' }))).toBe('InvalidArgument 400');
  });

  test('a page has at most 1,000 keys', async () => {
    const s3 = await startS3({ directory: await manyObjects(1001) });
    const page = await s3.sdk.send(new ListObjectsV2Command({ Bucket, MaxKeys: 5000 }));
    expect(page).toMatchObject({ KeyCount: 1000, MaxKeys: 1000, IsTruncated: true });
  });
});

test('ListObjects pages by marker', async () => {
  const s3 = await startWith(tree);
  const first = await s3.sdk.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2 }));
  expect(first).toMatchObject({ IsTruncated: true, NextMarker: 'b/', Contents: [{ Key: 'a' }] });
  const second = await s3.sdk.send(new ListObjectsCommand({ Bucket, Delimiter: '/', Marker: first.NextMarker }));
  expect(second.Contents?.map((each) => each.Key)).toEqual(['d']);
  expect(second.CommonPrefixes).toEqual([{ Prefix: 'e/' }]);
});

test('ListObjectVersions pages through versions and markers without duplicates', async () => {
  const s3 = await startWith(['a', 'a', 'b', 'a', 'c'], true);
  await s3.sdk.send(new DeleteObjectCommand({ Bucket, Key: 'b' }));
  const seen: string[] = [];
  let markers: { KeyMarker?: string; VersionIdMarker?: string } = {};
  for (let more = true; more; ) {
    const page = await s3.sdk.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 1, ...markers }));
    const [item] = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    seen.push(`${item?.Key} ${item?.VersionId} ${item?.IsLatest}`);
    more = page.IsTruncated === true;
    markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
  expect(new Set(seen).size).toBe(6);
  expect(seen.map((each) => each.replace(/ .* /, ' '))).toEqual([
    'a true',
    'a false',
    'a false',
    'b true',
    'b false',
    'c true',
  ]);
});

describe('buckets', () => {
  test('are not deleted while they have versions or delete markers, as on AWS', async () => {
    const [Bucket, Key] = ['one', 'key'];
    const s3 = await startS3({ buckets: { [Bucket]: { versioned: true } } });
    const { VersionId: version } = await s3.sdk.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const { VersionId: marker } = await s3.sdk.send(new DeleteObjectCommand({ Bucket, Key }));
    const remove = () => errorOf(s3.sdk.send(new DeleteBucketCommand({ Bucket })));
    for (const VersionId of [version, marker]) {
      expect(await remove()).toBe('BucketNotEmpty 409');
      await s3.sdk.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    }
    expect(await remove()).toBe('no error');
  });

  test('are created, listed, found, and deleted when empty', async () => {
    const s3 = await startS3({ buckets: {} });
    await s3.sdk.send(new CreateBucketCommand({ Bucket: 'two' }));
    await s3.sdk.send(new CreateBucketCommand({ Bucket: 'one', ACL: 'private' }));
    const { Buckets } = await s3.sdk.send(new ListBucketsCommand());
    expect(Buckets?.map((bucket) => bucket.Name)).toEqual(['one', 'two']);
    expect(await errorOf(s3.sdk.send(new HeadBucketCommand({ Bucket: 'one' })))).toBe('no error');
    expect(await errorOf(s3.sdk.send(new HeadBucketCommand({ Bucket: 'three' })))).toBe('NotFound 404');
    await s3.sdk.send(new PutObjectCommand({ Bucket: 'one', Key: 'key', Body: 'x' }));
    const remove = () => errorOf(s3.sdk.send(new DeleteBucketCommand({ Bucket: 'one' })));
    expect(await remove()).toBe('BucketNotEmpty 409');
    await s3.sdk.send(new DeleteObjectCommand({ Bucket: 'one', Key: 'key' }));
    expect([await remove(), await remove()]).toEqual(['no error', 'NoSuchBucket 404']);
  });

  test.each([
    ['one', 'BucketAlreadyOwnedByYou 409'],
    ['Upper', 'InvalidBucketName 400'],
    ['a..b', 'InvalidBucketName 400'],
    ['192.168.0.1', 'InvalidBucketName 400'],
  ])('%s cannot be created', async (Bucket, expected) => {
    const s3 = await startS3({ buckets: { one: {} } });
    const sdk = s3.client({ forcePathStyle: true });
    expect(await errorOf(sdk.send(new CreateBucketCommand({ Bucket })))).toBe(expected);
  });
});

/** A directory with the state of thousands of puts. */
async function manyObjects(count: number): Promise<string> {
  const directory = await temporaryDirectory();
  await mkdir(`${directory}/buckets/files/blobs`, { recursive: true });
  await writeFile(`${directory}/buckets/files/bucket.json`, '{"versioning":"Unversioned","created":0}');
  const entries = Array.from({ length: count }, (_, i) => ({
    put: {
      kind: 'object',
      key: `key ${i}`,
      version_id: 'null',
      sequence: i,
      last_modified: 0,
      size: 0,
      etag: '',
      checksum: { algorithm: 'CRC32', value: 'AAAAAA==', type: 'FULL_OBJECT' },
      headers: {},
      metadata: {},
      blob: String(i),
    },
  }));
  await writeFile(
    `${directory}/buckets/files/log.jsonl`,
    entries.map((entry) => `\n${JSON.stringify(entry)}`).join(''),
  );
  return directory;
}
