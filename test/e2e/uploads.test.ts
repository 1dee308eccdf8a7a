import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ffmpegFile } from '../functions/media/support.ts';
import { type Endpoint, openEndpoint } from '../support/endpoint.ts';
import { png } from '../support/png.ts';
import { probe } from '../support/probe.ts';
import { aRequest } from '../support/requests.ts';

let api: Endpoint;
beforeAll(async () => {
  api = await openEndpoint();
});
afterAll(() => api?.close());

interface Form {
  upload_url: string;
  fields: Record<string, string>;
  media_url: string;
  max_bytes: number;
}

const formFor = async (content_type: string, headers: Record<string, string> = {}): Promise<Form> => {
  const { status, body } = await api.post('/uploads', { content_type }, headers);
  expect(status).toBe(201);
  return body as unknown as Form;
};

/** Posts the form like a browser or curl. */
async function send({ upload_url, fields }: Form, file: Uint8Array, changed: Record<string, string> = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...fields, ...changed })) form.set(name, value);
  form.set('file', new Blob([new Uint8Array(file)]), 'image');
  return (await fetch(upload_url, { method: 'POST', body: form })).status;
}

const withMedia = (form: Form, input: object = {}) =>
  aRequest('A cat runs', { input: { prompt: 'A cat runs', img_url: form.media_url, ...input } });

describe.concurrent('an upload', () => {
  test('can be used as first frame', async () => {
    const form = await formFor('image/png');
    expect(await send(form, png(640, 480))).toBeLessThan(300);
    const { status, body } = await api.post('/videos', withMedia(form));
    expect(status).toBe(202);
    const video = await api.finished(String(body.id));
    expect(video).toMatchObject({
      status: 'succeeded',
      input: { media: [{ file: { width: 640, height: 480, content_type: 'image/png' } }] },
    });
    const { headers } = await api.call(`/videos/${video.id}/content`);
    expect(await probe(headers.get('location')!)).toMatchObject({ codec: 'h264', width: 720, height: 544 });
  });

  test('can be used as audio', async () => {
    const image = await formFor('image/png');
    const audio = await formFor('audio/mpeg');
    const mp3 = await ffmpegFile('tone.mp3', '-f', 'lavfi', '-i', 'sine=frequency=440:duration=4', '-b:a', '64k');
    await send(image, png(480, 480));
    expect(await send(audio, mp3)).toBeLessThan(300);
    const { status, body } = await api.post('/videos', {
      model: 'wan2.5-i2v-preview',
      input: { prompt: 'A cat sings', img_url: image.media_url, audio_url: audio.media_url },
      parameters: { resolution: '480P' },
    });
    expect(status).toBe(202);
    expect(await api.finished(String(body.id))).toMatchObject({
      status: 'succeeded',
      input: { media: [{}, { type: 'driving_audio', file: { content_type: 'audio/mpeg' } }] },
      video: { codecs: expect.arrayContaining([expect.stringMatching(/^mp4a/)]) },
    });
  });

  test('keeps the image of the submission when it is overwritten later', async () => {
    const form = await formFor('image/png');
    await send(form, png(480, 360));
    const { body } = await api.post('/videos', withMedia(form));
    await send(form, png(640, 640));
    expect(await api.finished(String(body.id))).toMatchObject({
      input: { media: [{ file: { width: 480, height: 360 } }] },
    });
  });

  test.each([
    ['another key', 'image/png', png(360, 360), { key: 'drop/free-video.png' }],
    ['another type', 'image/png', png(360, 360), { 'Content-Type': 'text/html' }],
    ['more than its limit', 'audio/wav', new Uint8Array(16 * 1024 * 1024), {}],
  ])('is rejected by S3 for %s', async (_, type, file, changed) => {
    expect(await send(await formFor(type), file, changed)).toBeGreaterThanOrEqual(400);
  });

  test.each([
    ['does not exist yet', async () => await formFor('image/png')],
    [
      'belongs to another owner',
      async () => {
        const form = await formFor('image/png', { authorization: `Bearer ${api.other_api_key}` });
        await send(form, png(360, 360));
        return form;
      },
    ],
    [
      'is in another bucket',
      async () => ({ ...(await formFor('image/png')), media_url: 's3://another-bucket/cat.png' }),
    ],
  ])('that %s is rejected with the same issue', async (_, upload) => {
    const { status, body } = await api.post('/videos', withMedia(await upload()));
    expect(status).toBe(400);
    expect(body.errors).toEqual([expect.objectContaining({ pointer: '/input/img_url', code: 'upload_not_found' })]);
  });

  test('that is not an image or too small is rejected', async () => {
    const text = await formFor('image/png');
    await send(text, Buffer.from('not an image'));
    expect((await api.post('/videos', withMedia(text))).status).toBe(400);
    const small = await formFor('image/png');
    await send(small, png(20, 20));
    const { status, body } = await api.post('/videos', withMedia(small));
    expect({ status, errors: body.errors }).toMatchObject({ status: 400, errors: [{ code: 'image_dimensions' }] });
  });
});
