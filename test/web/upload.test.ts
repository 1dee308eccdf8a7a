import { beforeEach, describe, expect, test } from 'vitest';
import { ApiProblem } from '../../web/api-problem.ts';
import { createUploader, type Uploader } from '../../web/upload.ts';

const picture = new Blob(['picture'], { type: 'image/png' });
let asked: object[];
let sent: { url: string; fields: [string, unknown][] }[];
let shares: number[];
let status: number;
let uploader: Uploader;
beforeEach(() => {
  asked = [];
  sent = [];
  shares = [];
  status = 204;
  uploader = createUploader(
    {
      async createUpload(file) {
        asked.push(file);
        const media_url = `s3://bucket/uploads/me/${asked.length}/image.png`;
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
const upload = () => uploader.upload(picture, (share) => shares.push(share));

test('a picture is sent where the API says, with its fields, the file last: S3 reads none after it', async () => {
  expect(await upload()).toBe('s3://bucket/uploads/me/1/image.png');
  expect(asked).toEqual([{ content_type: 'image/png', bytes: 7 }]);
  expect(sent[0]!.url).toBe('https://bucket.example');
  expect(sent[0]!.fields.map(([name]) => name)).toEqual(['key', 'policy', 'file']);
  expect(shares).toEqual([0, 0.5, 1]);
});

describe('the same picture', () => {
  test('is uploaded once, so that a repeated request stays the same and is paid once', async () => {
    const first = await upload();
    expect(await upload()).toBe(first);
    expect(sent).toHaveLength(1);
  });

  test('is sent again when its upload is there no more', async () => {
    const first = await upload();
    uploader.forget(picture);
    expect(await upload()).not.toBe(first);
  });

  test('is sent again when it did not arrive', async () => {
    status = 500;
    await expect(upload()).rejects.toThrow();
    status = 204;
    expect(await upload()).toContain('/2/');
  });
});

test.each([0, 403, 500])('a %i of the storage is a problem with words, and never the key’s', async (given) => {
  status = given;
  const problem = await upload().catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(ApiProblem);
  expect(problem).toMatchObject({ message: 'The picture could not be uploaded.', refusesKey: false });
});
