import { describe, expect, test } from 'vitest';
import { startTable } from '../../../support/table.ts';
import { png, wav } from '../../media/support.ts';
import { body } from '../support.ts';
import { anApiWithUploads, sendForm } from './upload-support.ts';

const store = startTable();

describe('POST /uploads', () => {
  test('returns an upload form and the media_url for POST /videos', async () => {
    const api = await anApiWithUploads(store.table);
    const before = Date.now();
    const upload = await api.createUpload({ content_type: 'image/png', bytes: 1000 });
    expect(upload).toMatchObject({
      status: 201,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      body: {
        upload_url: expect.stringMatching(/^http:/),
        media_url: expect.stringMatching(/^s3:\/\/uploads\/uploads\/alice\/[0-9a-f-]{36}\/image\.png$/),
        max_bytes: 20 * 1024 * 1024,
      },
    });
    const left = Date.parse(upload.body.expires_at) - before;
    expect(left / 60_000).toBeCloseTo(15, 1);
    expect(Object.keys(upload.body).sort()).toEqual(['expires_at', 'fields', 'max_bytes', 'media_url', 'upload_url']);
    expect(await sendForm(upload.body, png(400, 400))).toBe(204);
    const { status } = await api.submit({ body: body({ input: { img_url: upload.body.media_url } }) });
    expect(status).toBe(202);
  });

  test.each([
    ['image/jpeg', 'image.jpeg', 20],
    ['image/png', 'image.png', 20],
    ['image/bmp', 'image.bmp', 20],
    ['image/webp', 'image.webp', 20],
    ['audio/mpeg', 'audio.mp3', 15],
    ['audio/wav', 'audio.wav', 15],
    ['video/mp4', 'video.mp4', 100],
    ['video/quicktime', 'video.mov', 100],
  ])('accepts %s', async (content_type, name, mebibytes) => {
    const api = await anApiWithUploads(store.table);
    const { body: upload } = await api.createUpload({ content_type });
    expect(upload.media_url.endsWith(`/${name}`)).toBe(true);
    expect(upload.max_bytes).toBe(mebibytes * 1024 * 1024);
  });

  test('gives every file its own key', async () => {
    const api = await anApiWithUploads(store.table);
    const uploads = await Promise.all([1, 2, 3].map(() => api.createUpload({ content_type: 'audio/wav' })));
    expect(new Set(uploads.map((upload) => upload.body.media_url)).size).toBe(3);
  });

  test.each<[string, unknown, string, string]>([
    ['no content type', {}, '/content_type', 'missing'],
    ['an unsupported type', { content_type: 'image/gif' }, '/content_type', 'invalid_value'],
    ['a type of another kind', { content_type: 7 }, '/content_type', 'invalid_value'],
    ['an image over the limit', { content_type: 'image/png', bytes: 20 * 1024 * 1024 + 1 }, '/bytes', 'out_of_range'],
    [
      'an audio file over the limit',
      { content_type: 'audio/wav', bytes: 15 * 1024 * 1024 + 1 },
      '/bytes',
      'out_of_range',
    ],
    ['no bytes', { content_type: 'image/png', bytes: 0 }, '/bytes', 'out_of_range'],
    ['half a byte', { content_type: 'image/png', bytes: 1.5 }, '/bytes', 'wrong_type'],
    ['an unknown field', { content_type: 'image/png', key: 'drop/x.png' }, '/key', 'unknown_field'],
    ['a list', [], '', 'wrong_type'],
  ])('refuses %s', async (_, sent, pointer, code) => {
    const api = await anApiWithUploads(store.table);
    await expect(api.createUpload(sent)).rejects.toMatchObject({
      status: 400,
      members: { code: 'invalid_request', errors: [{ pointer, code, message: expect.stringMatching(/\.$/) }] },
    });
  });

  test('names the supported types when it refuses one', async () => {
    const api = await anApiWithUploads(store.table);
    await expect(api.createUpload({ content_type: 'video/webm' })).rejects.toMatchObject({
      members: {
        detail: expect.stringMatching(/image\/jpeg, image\/png, image\/bmp, image\/webp, audio\/wav, audio\/mpeg/),
      },
    });
    await expect(api.createUpload('nonsense')).rejects.toMatchObject({
      members: { code: 'invalid_json', detail: expect.stringContaining('"content_type"') },
    });
  });
});

describe('S3 refuses the form', () => {
  const aForm = async (content_type = 'image/png') => {
    const api = await anApiWithUploads(store.table);
    const { body: upload } = await api.createUpload({ content_type });
    return { api, upload };
  };

  test.each([
    ["another owner's folder", { key: 'uploads/bob/x/image.png' }],
    ['the drop folder', { key: 'drop/cat.png' }],
    ['the folder of a video', { key: 'inputs/some-id/x.png' }],
    ['another name', { key: 'uploads/alice/image.png' }],
  ])('for %s', async (_, fields) => {
    const { api, upload } = await aForm();
    expect(await sendForm({ ...upload, fields: { ...upload.fields, ...fields } }, png(400, 400))).toBe(403);
    expect(await api.versionsBelow('')).toEqual([]);
  });

  test('for another content type, and with fields that were not signed', async () => {
    const { api, upload } = await aForm();
    for (const fields of [{ 'Content-Type': 'text/html' }, { 'x-amz-meta-prompt': 'x' }, { acl: 'public-read' }]) {
      expect(await sendForm({ ...upload, fields: { ...upload.fields, ...fields } }, png(400, 400))).toBe(403);
    }
    const { 'Content-Type': _, ...without } = upload.fields;
    expect(await sendForm({ ...upload, fields: without }, png(400, 400))).toBe(403);
    expect(await api.versionsBelow('')).toEqual([]);
  });

  test('for a file over the limit, and for an empty one', async () => {
    const { api, upload } = await aForm('audio/wav');
    expect(await sendForm(upload, Buffer.alloc(15 * 1024 * 1024 + 1))).toBe(400);
    expect(await sendForm(upload, Buffer.alloc(0))).toBe(400);
    expect(await api.versionsBelow('')).toEqual([]);
    expect(await sendForm(upload, wav(5))).toBe(204);
  });

  test('after 15 minutes', async () => {
    const { upload } = await aForm();
    const policy = JSON.parse(Buffer.from(upload.fields.Policy, 'base64').toString());
    const left = Date.parse(policy.expiration) - Date.now();
    expect(left).toBeGreaterThan(14.5 * 60_000);
    expect(left).toBeLessThanOrEqual(15 * 60_000);
    expect(Math.abs(Date.parse(policy.expiration) - Date.parse(upload.expires_at))).toBeLessThan(2000);
  });
});
