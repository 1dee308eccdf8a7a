import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  type GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { droppedObject, findLatest, readObject, readSmallFile } from '../../../functions/drops/dropped-object.ts';
import { readMetadataText } from '../../../functions/drops/metadata-text.ts';
import objectCreated from '../../fixtures/events/object-created.json' with { type: 'json' };
import { versionedBuckets } from '../versioned-buckets.ts';

const event = objectCreated as unknown as Parameters<typeof droppedObject>[0];
const object = droppedObject(event);

function bucket(answer: () => Promise<object>) {
  const sent: GetObjectCommand['input'][] = [];
  const send = (command: GetObjectCommand) => {
    sent.push(command.input);
    return answer();
  };
  return { sent, s3: { send } as unknown as Parameters<typeof readObject>[0] };
}

const found = (bytes: Uint8Array, Metadata?: Record<string, string>) =>
  bucket(async () => ({ Body: { transformToByteArray: async () => bytes }, Metadata, ContentType: 'image/png' }));

test('an event has bucket, key, version and size, not encoded', () => {
  expect(object).toEqual({
    bucket: 'firstframe-uploads',
    key: 'drop/cat.png',
    version_id: 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e',
    size: 5,
  });
  const { 'version-id': _, ...unversioned } = event.detail.object;
  const detail = { ...event.detail, object: unversioned } as typeof event.detail;
  expect(droppedObject({ detail })).toEqual({ bucket: 'firstframe-uploads', key: 'drop/cat.png', size: 5 });
});

test('reads the version of the event whole, with its metadata', async () => {
  const { s3, sent } = found(Buffer.from('bytes'), { prompt: 'x' });
  expect(await readObject(s3, object)).toEqual({
    bytes: Buffer.from('bytes'),
    metadata: { prompt: 'x' },
    content_type: 'image/png',
  });
  expect(sent).toEqual([{ Bucket: object.bucket, Key: object.key, VersionId: object.version_id }]);
});

test('reads only the first part of an object that is larger than an image may be', async () => {
  const { s3, sent } = found(Buffer.alloc(0));
  const limit = 20 * 1024 * 1024;
  await readObject(s3, { ...object, size: limit });
  await readObject(s3, { ...object, size: limit + 1 });
  expect(sent.map(({ Range }) => Range)).toEqual([undefined, 'bytes=0-65535']);
});

test('returns undefined for a version that is gone, and throws any other failure', async () => {
  const fault = (name: string) => new S3ServiceException({ name, $fault: 'client', $metadata: {}, message: name });
  const failing = (error: Error) => readObject(bucket(() => Promise.reject(error)).s3, object);
  expect(await failing(new NoSuchKey({ $metadata: {}, message: 'gone' }))).toBeUndefined();
  expect(await failing(fault('NoSuchVersion'))).toBeUndefined();
  await expect(failing(fault('AccessDenied'))).rejects.toThrow('AccessDenied');
  await expect(failing(fault('SlowDown'))).rejects.toThrow('SlowDown');
});

describe('from an S3 with versions', () => {
  let store: Awaited<ReturnType<typeof versionedBuckets>>;
  beforeAll(async () => {
    store = await versionedBuckets();
  });
  afterAll(() => store.close());
  const Bucket = 'uploads';
  const put = async (Key: string, body: string, Metadata?: Record<string, string>) =>
    // Node sends the headers before a text of a body as UTF-8, and those before bytes unchanged.
    (await store.s3.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.from(body), Metadata }))).VersionId!;

  test.each(['drop/two words/a+b 100%.png', 'drop/猫/e\u0301.png', 'drop/é&?=#.png', 'drop//x//y.png'])(
    'finds the latest version of %s, and none after it is deleted',
    async (key) => {
      expect(await findLatest(store.s3, Bucket, key)).toBeUndefined();
      await put(key, 'old');
      const version_id = await put(key, 'newer');
      const latest = await findLatest(store.s3, Bucket, key);
      expect(latest).toEqual({ last_modified: expect.any(Number), bucket: Bucket, key, version_id, size: 5 });
      expect(await readObject(store.s3, latest!)).toMatchObject({
        bytes: new Uint8Array(Buffer.from('newer')),
        metadata: {},
      });
      await store.s3.send(new DeleteObjectCommand({ Bucket, Key: key }));
      expect(await findLatest(store.s3, Bucket, key)).toBeUndefined();
      expect(await readObject(store.s3, latest!)).toMatchObject({ metadata: {} });
    },
  );

  test('reads an object of several parts whole', async () => {
    const where = { Bucket, Key: 'drop/parts.png' };
    const metadata = { prompt: 'A cat runs' };
    const { UploadId } = await store.s3.send(new CreateMultipartUploadCommand({ ...where, Metadata: metadata }));
    const part = { ...where, UploadId, PartNumber: 1 };
    const { ETag } = await store.s3.send(new UploadPartCommand({ ...part, Body: 'whole' }));
    const done = { MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] } };
    const { VersionId } = await store.s3.send(new CompleteMultipartUploadCommand({ ...where, UploadId, ...done }));
    const object = (await findLatest(store.s3, Bucket, where.Key))!;
    expect(object).toMatchObject({ version_id: VersionId, size: 5 });
    expect(await readObject(store.s3, object)).toMatchObject({ bytes: new Uint8Array(Buffer.from('whole')), metadata });
  });

  const prompts = [
    'A cat runs',
    '猫が草の上を走る',
    '개가 달린다',
    'Кошка бежит',
    'القطة تجري',
    'Ñandú café naïve',
    '🐈‍⬛ corre',
    'a=?b_c?=',
  ];
  test.each(prompts)('decodes a prompt that was sent encoded or as bare UTF-8: %s', async (prompt) => {
    const encoded = `=?UTF-8?B?${Buffer.from(prompt).toString('base64')}?=`;
    const bare = Buffer.from(prompt).toString('latin1');
    for (const sent of [encoded, bare]) {
      await put('drop/prompt.png', 'x', { prompt: sent });
      const read = await readObject(store.s3, (await findLatest(store.s3, Bucket, 'drop/prompt.png'))!);
      expect(readMetadataText(read!.metadata.prompt!)).toBe(prompt);
    }
  });

  test('reads a small file to one byte more than its limit; an empty file exists, a deleted one does not', async () => {
    const read = (key: string) => readSmallFile(store.s3, { bucket: Bucket, key, most: 4 });
    await put('drop/a.json', '123456789');
    await put('drop/b.json', '1234');
    await put('drop/c.json', '');
    expect(Buffer.from((await read('drop/a.json'))!).toString()).toBe('12345');
    expect(Buffer.from((await read('drop/b.json'))!).toString()).toBe('1234');
    expect(await read('drop/c.json')).toHaveLength(0);
    expect(await read('drop/d.json')).toBeUndefined();
    await store.s3.send(new DeleteObjectCommand({ Bucket, Key: 'drop/a.json' }));
    expect(await read('drop/a.json')).toBeUndefined();
  });
});

test('throws other errors of S3, so that the event is delivered again', async () => {
  const s3 = {
    send: () => Promise.reject(new S3ServiceException({ name: 'AccessDenied', $fault: 'client', $metadata: {} })),
  } as unknown as Parameters<typeof readObject>[0];
  await expect(findLatest(s3, 'b', 'k')).rejects.toThrow();
  await expect(readSmallFile(s3, { bucket: 'b', key: 'k', most: 1 })).rejects.toThrow();
});
