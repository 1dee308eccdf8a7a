import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { send } from './support/raw-request.ts';
import { errorOf, startS3, type TestS3 } from './support/start-s3.ts';

const Bucket = 'files';
const Key = 'key';
const versioned = { buckets: { files: { versioned: true } } };

async function put(s3: TestS3, Body: string) {
  return (await s3.sdk.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId;
}

async function read(s3: TestS3, VersionId?: string) {
  return (await s3.sdk.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body!.transformToString();
}

function remove(s3: TestS3, VersionId?: string) {
  return s3.sdk.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
}

async function versions(s3: TestS3) {
  const { Versions = [], DeleteMarkers = [] } = await s3.sdk.send(new ListObjectVersionsCommand({ Bucket }));
  return [
    ...Versions.map((each) => `${each.VersionId} ${each.Size}${each.IsLatest ? ' latest' : ''}`),
    ...DeleteMarkers.map((each) => `${each.VersionId} deleted${each.IsLatest ? ' latest' : ''}`),
  ];
}

describe('a versioned bucket', () => {
  test('keeps every version with its own id', async () => {
    const s3 = await startS3(versioned);
    const [first, second] = [await put(s3, 'one'), await put(s3, 'second')];
    expect([await read(s3, first), await read(s3, second), await read(s3)]).toEqual(['one', 'second', 'second']);
    expect(await versions(s3)).toEqual([`${second} 6 latest`, `${first} 3`]);
    expect(s3.events.map((event) => event.version_id)).toEqual([first, second]);
    const head = await s3.sdk.send(new HeadObjectCommand({ Bucket, Key, VersionId: first }));
    expect(head).toMatchObject({ VersionId: first, ContentLength: 3 });
  });

  test('deletes by a delete marker, which can be removed', async () => {
    const s3 = await startS3(versioned);
    const version = await put(s3, 'one');
    const marker = await remove(s3);
    expect(marker).toMatchObject({ DeleteMarker: true });
    const response = await send(s3.endpoint, { path: '/files/key' });
    expect([response.code, response.headers.get('x-amz-delete-marker')]).toEqual(['NoSuchKey', 'true']);
    expect(await versions(s3)).toEqual([`${version} 3`, `${marker.VersionId} deleted latest`]);
    expect((await s3.sdk.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    expect(await read(s3, version)).toBe('one');
    expect(await remove(s3, marker.VersionId)).toMatchObject({ DeleteMarker: true, VersionId: marker.VersionId });
    expect(await read(s3)).toBe('one');
    expect(s3.events.slice(1)).toMatchObject([
      { name: 'ObjectDeleted', deletion_type: 'Delete Marker Created', version_id: marker.VersionId, size: 0 },
      { name: 'ObjectDeleted', deletion_type: 'Permanently Deleted', version_id: marker.VersionId },
    ]);
  });

  test('deletes a version permanently and makes the previous one current', async () => {
    const s3 = await startS3(versioned);
    const [first, second] = [await put(s3, 'one'), await put(s3, 'two')];
    expect(await remove(s3, second)).toMatchObject({ VersionId: second });
    expect(await read(s3)).toBe('one');
    await remove(s3, first);
    expect(await versions(s3)).toEqual([]);
  });

  test('does not return a delete marker or a missing version', async () => {
    const s3 = await startS3(versioned);
    const marker = (await remove(s3)).VersionId;
    expect(await errorOf(read(s3, marker))).toBe('MethodNotAllowed 405');
    expect(await errorOf(read(s3, 'x'.repeat(32)))).toBe('NoSuchVersion 404');
    expect(await errorOf(read(s3, 'no-version'))).toBe('InvalidArgument 400');
  });

  test('deletes several objects with a result or error for each', async () => {
    const s3 = await startS3(versioned);
    const version = await put(s3, 'one');
    const Objects = [{ Key }, { Key, VersionId: version }, { Key, VersionId: 'bad' }, { Key: 'never was' }];
    const response = await s3.sdk.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(response.Deleted).toMatchObject([
      { Key, DeleteMarker: true },
      { Key, VersionId: version },
      { Key: 'never was', DeleteMarker: true },
    ]);
    expect(response.Errors).toMatchObject([{ Key, VersionId: 'bad', Code: 'InvalidArgument' }]);
    const quiet = await s3.sdk.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }], Quiet: true } }));
    expect(quiet.Deleted).toBeUndefined();
  });
});

describe('versioning', () => {
  const state = async (s3: TestS3) => (await s3.sdk.send(new GetBucketVersioningCommand({ Bucket }))).Status;

  test('keeps objects from before versioning as the null version', async () => {
    const s3 = await startS3();
    expect(await state(s3)).toBeUndefined();
    expect(await put(s3, 'before')).toBeUndefined();
    await s3.createBucket(Bucket, { versioned: true });
    expect(await state(s3)).toBe('Enabled');
    const kept = await put(s3, 'on');
    expect(await versions(s3)).toEqual([`${kept} 2 latest`, 'null 6']);
    await s3.createBucket(Bucket, {});
    expect(await put(s3, 'suspended')).toBe('null');
    expect(await versions(s3)).toEqual(['null 9 latest', `${kept} 2`]);
    expect(await remove(s3)).toMatchObject({ DeleteMarker: true, VersionId: 'null' });
    expect(await versions(s3)).toEqual([`${kept} 2`, 'null deleted latest']);
  });

  test('an unversioned bucket deletes permanently and returns no version ids', async () => {
    const s3 = await startS3();
    await put(s3, 'one');
    expect(await remove(s3)).not.toHaveProperty('VersionId', expect.anything());
    expect(await errorOf(read(s3))).toBe('NoSuchKey 404');
    expect(await versions(s3)).toEqual([]);
    await remove(s3);
    expect(s3.events).toMatchObject([{ name: 'ObjectCreated' }, { name: 'ObjectDeleted', size: 3 }]);
    expect(s3.events[0]).not.toHaveProperty('version_id', expect.anything());
  });

  test('settings are replaced, which suspends versioning and keeps the objects', async () => {
    const s3 = await startS3(versioned);
    await put(s3, 'one');
    await s3.createBucket(Bucket, {});
    expect(await state(s3)).toBe('Suspended');
    expect(await read(s3)).toBe('one');
  });
});
