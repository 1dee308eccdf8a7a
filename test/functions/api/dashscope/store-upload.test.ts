import { S3ServiceException } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { storeUpload } from '../../../../functions/api/dashscope/receive-upload.ts';

const file = { key: 'uploads/alice/1/cat.png', bytes: new Uint8Array([1]), content_type: 'image/png' };

/** An S3 stub that accepts writes or fails with the named error. */
function anS3(error?: string) {
  const sent: unknown[] = [];
  const send = async ({ input }: { input: unknown }) => {
    sent.push(input);
    if (error) throw new S3ServiceException({ name: error, $fault: 'client', $metadata: {} });
    return {};
  };
  return { sent, s3: { send } as never };
}

test('writes the file under its key if that is free', async () => {
  const { s3, sent } = anS3();
  expect(await storeUpload(s3, 'uploads', file)).toBe(true);
  expect(sent).toEqual([
    { Bucket: 'uploads', Key: file.key, Body: file.bytes, ContentType: 'image/png', IfNoneMatch: '*' },
  ]);
});

test.each(['PreconditionFailed', 'ConditionalRequestConflict'])(
  'returns false after %s: the key is taken',
  async (name) => {
    expect(await storeUpload(anS3(name).s3, 'uploads', file)).toBe(false);
  },
);

test('throws any other error', async () => {
  await expect(storeUpload(anS3('AccessDenied').s3, 'uploads', file)).rejects.toThrow(S3ServiceException);
});
