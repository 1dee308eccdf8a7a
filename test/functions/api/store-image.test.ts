import { createHash } from 'node:crypto';
import { type PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { signLink } from '../../../functions/api/sign-link.ts';
import { storeImage } from '../../../functions/api/store-image.ts';

type Client = Parameters<typeof storeImage>[0];
const bytes = Buffer.from('the bytes of a picture');
const image = { bytes, content_type: 'image/webp' };
const key = `inputs/id-1/${createHash('sha256').update(bytes).digest('hex')}.webp`;

const answering = (answer: (input: PutObjectCommand['input']) => Promise<object>) =>
  ({ send: (command: PutObjectCommand) => answer(command.input) }) as unknown as Client;

const failing = (name: string, status: number) =>
  answering(() =>
    Promise.reject(
      new S3ServiceException({ name, message: name, $fault: 'client', $metadata: { httpStatusCode: status } }),
    ),
  );

test('an image is written once, under a name that its bytes determine, away from the drop folder', async () => {
  const sent: unknown[] = [];
  const s3 = answering(async (input) => {
    sent.push(input);
    return { VersionId: 'v1' };
  });
  expect(await storeImage(s3, 'uploads', 'id-1', image)).toEqual({ bucket: 'uploads', key, version_id: 'v1' });
  expect(sent).toEqual([{ Bucket: 'uploads', Key: key, Body: bytes, ContentType: 'image/webp', IfNoneMatch: '*' }]);
});

test('an image that lies there already is as good as stored', async () => {
  expect(await storeImage(failing('PreconditionFailed', 412), 'uploads', 'id-1', image)).toEqual({
    bucket: 'uploads',
    key,
  });
});

test('any other failure is thrown, so that no record names an image that is not there', async () => {
  await expect(storeImage(failing('AccessDenied', 403), 'uploads', 'id-1', image)).rejects.toThrow('AccessDenied');
  await expect(storeImage(failing('SlowDown', 503), 'uploads', 'id-1', image)).rejects.toThrow('SlowDown');
});

test('a link is for one version of one object, for 15 minutes', async () => {
  const s3 = new S3Client({ region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
  const url = new URL(await signLink(s3, { bucket: 'videos', key: 'an id/1-1.mp4', version_id: 'v7' }));
  expect(url.pathname).toMatch(/an%20id\/1-1\.mp4$/);
  expect(Object.fromEntries(url.searchParams)).toMatchObject({ versionId: 'v7', 'X-Amz-Expires': '900' });
});
