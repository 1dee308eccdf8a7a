import { createHash } from 'node:crypto';
import { type PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { storeInline } from '../../../functions/submissions/media.ts';

type Client = Parameters<typeof storeInline>[0];
const bytes = Buffer.from('the bytes of an image');
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
  expect(await storeInline(s3, 'uploads', 'id-1', image)).toEqual({ bucket: 'uploads', key, version_id: 'v1' });
  expect(sent).toEqual([{ Bucket: 'uploads', Key: key, Body: bytes, ContentType: 'image/webp', IfNoneMatch: '*' }]);
});

test('an image that lies there already is as good as stored', async () => {
  expect(await storeInline(failing('PreconditionFailed', 412), 'uploads', 'id-1', image)).toEqual({
    bucket: 'uploads',
    key,
  });
});

test('writes a file again when a concurrent write of it collides, until one of them is stored', async () => {
  const conflict = (name: string) => new S3ServiceException({ name, message: name, $fault: 'client', $metadata: {} });
  const answers = [conflict('ConditionalRequestConflict'), conflict('ConditionalRequestConflict'), { VersionId: 'v1' }];
  const s3 = answering(async () => {
    const answer = answers.shift()!;
    if (answer instanceof Error) throw answer;
    return answer;
  });
  expect(await storeInline(s3, 'uploads', 'id-1', image)).toEqual({ bucket: 'uploads', key, version_id: 'v1' });
  await expect(storeInline(failing('ConditionalRequestConflict', 409), 'uploads', 'id-1', image)).rejects.toThrow(
    'ConditionalRequestConflict',
  );
});

test('any other failure is thrown, so that no record names an image that is not there', async () => {
  let sent = 0;
  const denied = failing('AccessDenied', 403);
  const counting = answering((input) => {
    sent++;
    return denied.send({ input } as never) as Promise<never>;
  });
  await expect(storeInline(counting, 'uploads', 'id-1', image)).rejects.toThrow('AccessDenied');
  expect(sent).toBe(1);
  await expect(storeInline(failing('SlowDown', 503), 'uploads', 'id-1', image)).rejects.toThrow('SlowDown');
});
