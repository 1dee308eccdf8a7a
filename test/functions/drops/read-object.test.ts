import { type GetObjectCommand, NoSuchKey, S3ServiceException } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { droppedObject } from '../../../functions/drops/dropped-object.ts';
import { readObject } from '../../../functions/drops/read-object.ts';
import objectCreated from '../../fixtures/events/object-created.json' with { type: 'json' };

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
  bucket(async () => ({ Body: { transformToByteArray: async () => bytes }, Metadata }));

test('an event tells bucket, key, version and size, as they are', () => {
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

test('the version of the event is read whole, with its metadata', async () => {
  const { s3, sent } = found(Buffer.from('bytes'), { prompt: 'x' });
  expect(await readObject(s3, object)).toEqual({ bytes: Buffer.from('bytes'), metadata: { prompt: 'x' } });
  expect(sent).toEqual([{ Bucket: object.bucket, Key: object.key, VersionId: object.version_id }]);
});

test('of an object that is larger than an image may be, only the head is read', async () => {
  const { s3, sent } = found(Buffer.alloc(0));
  const limit = 10 * 1024 * 1024;
  await readObject(s3, { ...object, size: limit });
  await readObject(s3, { ...object, size: limit + 1 });
  expect(sent.map(({ Range }) => Range)).toEqual([undefined, 'bytes=0-65535']);
});

test('a version that is gone is undefined; any other failure is thrown', async () => {
  const fault = (name: string) => new S3ServiceException({ name, $fault: 'client', $metadata: {}, message: name });
  const failing = (error: Error) => readObject(bucket(() => Promise.reject(error)).s3, object);
  expect(await failing(new NoSuchKey({ $metadata: {}, message: 'gone' }))).toBeUndefined();
  expect(await failing(fault('NoSuchVersion'))).toBeUndefined();
  await expect(failing(fault('AccessDenied'))).rejects.toThrow('AccessDenied');
  await expect(failing(fault('SlowDown'))).rejects.toThrow('SlowDown');
});
