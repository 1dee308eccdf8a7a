import { beforeEach, describe, expect, test } from 'vitest';
import { ApiProblem } from '../../web/api-problem.ts';
import { createUploader, type Uploader } from '../../web/image-upload.ts';

const image = new Blob(['image'], { type: 'image/png' });
let requested: object[];
let sent: { url: string; fields: [string, unknown][] }[];
let shares: number[];
let status: number;
let uploader: Uploader;
beforeEach(() => {
  requested = [];
  sent = [];
  shares = [];
  status = 204;
  uploader = createUploader(
    {
      async createUpload(file) {
        requested.push(file);
        const media_url = `s3://bucket/uploads/me/${requested.length}/image.png`;
        return { upload_url: 'https://bucket.example', fields: { key: 'k', policy: 'p' }, media_url };
      },
    },
    async (url, form, progress) => {
      sent.push({ url, fields: [...form] });
      progress(0.5);
      progress(1);
      return { status };
    },
  );
});
const upload = () => uploader.upload(image, (share) => shares.push(share));

test('posts the image with the fields of the form, the file last: S3 ignores fields after it', async () => {
  expect(await upload()).toBe('s3://bucket/uploads/me/1/image.png');
  expect(requested).toEqual([{ content_type: 'image/png', bytes: 5 }]);
  expect(sent[0]!.url).toBe('https://bucket.example');
  expect(sent[0]!.fields.map(([name]) => name)).toEqual(['key', 'policy', 'file']);
  expect(shares).toEqual([0, 0.5, 1]);
});

describe('the same image', () => {
  test('is uploaded once, so that a repeated request has the same body and is paid for once', async () => {
    const first = await upload();
    expect(await upload()).toBe(first);
    expect(sent).toHaveLength(1);
  });

  test('is uploaded again when the stored one was deleted', async () => {
    const first = await upload();
    uploader.forget(image);
    expect(await upload()).not.toBe(first);
  });

  test('is uploaded again after a failure', async () => {
    status = 500;
    await expect(upload()).rejects.toThrow();
    status = 204;
    expect(await upload()).toContain('/2/');
  });
});

test.each([0, 403, 500])('status %i of the storage is a problem, and never a rejected key', async (failure) => {
  status = failure;
  const problem = await upload().catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(ApiProblem);
  expect(problem).toMatchObject({ message: 'The image could not be uploaded.', rejectsKey: false });
});
