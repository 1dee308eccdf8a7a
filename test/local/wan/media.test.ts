import { describe, expect, test } from 'vitest';
import { bodyFor, convert, dataUrl, fetchOf, mp3, png, wanForTest, wav } from './support.ts';

const url = 'https://images.example/cat';
const model = 'wan2.2-i2v-flash';
const withImage = (img_url: string) => bodyFor(model, { input: { img_url } });

describe('the first frame', () => {
  const validImage = png(400, 400);
  const tooLarge = Buffer.concat([validImage, Buffer.alloc(10 * 1024 * 1024)]);

  test.each([
    ['of 360×2000 pixels', png(360, 2000), undefined],
    ['359 pixels wide', png(359, 400), '359×400'],
    ['2001 pixels high', png(400, 2001), '400×2001'],
    ['with an alpha channel', png(400, 400, { alpha: true }), 'alpha channel'],
    ['that is text', Buffer.from('<html>not found</html>'), 'JPEG, PNG, BMP or WEBP'],
    ['that is empty', Buffer.alloc(0), 'JPEG, PNG, BMP or WEBP'],
    [
      'that is a GIF',
      Buffer.from('R0lGODlhkAGQAYAAAAAAAP///yH5BAEAAAAALAAAAACQAZABAAIBRAA7', 'base64'),
      'JPEG, PNG, BMP or WEBP',
    ],
    ['larger than 10 MB', tooLarge, '10 MB'],
  ])('%s is checked by its bytes', async (_case, image, issue) => {
    const { client } = await wanForTest({ fetch: fetchOf({ [url]: image }).fetch });
    const reply = await client.submit(withImage(url));
    if (issue === undefined) expect(reply.status).toBe(200);
    else
      expect([reply.status, reply.body]).toEqual([
        400,
        { code: 'InvalidURL', message: expect.stringContaining(issue), request_id: expect.any(String) },
      ]);
  });

  test.each(['jpg', 'bmp', 'webp'] as const)('may be %s, as URL, data URL or raw base64', async (format) => {
    const image = await convert(validImage, format);
    const { client, clock } = await wanForTest({ fetch: fetchOf({ [url]: image }).fetch });
    const type = { jpg: 'image/jpeg', bmp: 'image/bmp', webp: 'image/webp' }[format];
    for (const img_url of [url, dataUrl(image, type), image.toString('base64')]) {
      const parameters = { resolution: '480P', duration: 3, seed: 1 };
      const taskId = await client.create(bodyFor('wan2.1-i2v-turbo', { input: { img_url }, parameters }));
      clock.advance(6);
      expect(await client.statusOf(taskId)).toBe('SUCCEEDED');
    }
  });

  test('in a data URL must have the declared type', async () => {
    const { client } = await wanForTest();
    expect((await client.submit(withImage(dataUrl(validImage, 'image/jpeg')))).body.code).toBe('InvalidURL');
  });

  const connectionRefused = Object.assign(new TypeError('fetch failed'), {
    cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }),
  });
  test.each([
    ['is missing', new Response('', { status: 404 }), 'InvalidParameter.DataInspection'],
    ['has an unknown host', new TypeError('fetch failed'), 'InvalidParameter.DataInspection'],
    ['refuses the connection', connectionRefused, 'InvalidURL.ConnectionRefused'],
    ['takes too long', new DOMException('too long', 'TimeoutError'), 'InvalidURL.Timeout'],
  ])('is rejected at submission when its URL %s', async (_case, file, code) => {
    const { client } = await wanForTest({ fetch: fetchOf({ [url]: file }).fetch });
    const reply = await client.submit(withImage(url));
    expect([reply.status, reply.body.code]).toEqual([400, code]);
  });

  test('is fetched once, during the submission', async () => {
    const files = fetchOf({ [url]: validImage });
    const { client, clock } = await wanForTest({ fetch: files.fetch });
    const taskId = await client.create(bodyFor(model, { input: { img_url: url }, parameters: { resolution: '480P' } }));
    expect(files.requested).toEqual([url]);
    clock.advance(6);
    expect(await client.statusOf(taskId)).toBe('SUCCEEDED');
    expect(files.requested).toEqual([url]);
  });

  test('fails the task, not the submission, when it is damaged', async () => {
    const { client, clock } = await wanForTest();
    const taskId = await client.create(withImage(dataUrl(validImage.subarray(0, 64))));
    clock.advance(6);
    expect((await client.query(taskId)).body.output).toMatchObject({
      task_status: 'FAILED',
      code: 'InternalError.Algo',
    });
  });
});

describe('the audio', () => {
  test.each([
    ['a WAV of 3 s', wav(3), undefined],
    ['a WAV of 30 s', wav(30), undefined],
    ['a WAV of 2.9 s', wav(2.9), '2.9 s'],
    ['a WAV of 30.1 s', wav(30.1), '30.1 s'],
    ['an MP3 of 4 s', mp3(4), undefined],
    ['an MP3 of 2 s', mp3(2), '2.0 s'],
    ['an MP3 of 31 s', mp3(31), '31.0 s'],
    ['an image', png(400, 400), 'WAV or MP3'],
    ['larger than 15 MB', Buffer.alloc(15 * 1024 * 1024 + 1), '15 MB'],
  ])('%s is checked by its bytes', async (_case, audio, issue) => {
    const { client } = await wanForTest({ fetch: fetchOf({ [url]: audio }).fetch });
    const reply = await client.submit(bodyFor('wan2.5-i2v-preview', { input: { audio_url: url } }));
    if (issue === undefined) expect(reply.status).toBe(200);
    else
      expect([reply.status, reply.body.code, reply.body.message]).toEqual([
        400,
        'InvalidURL',
        expect.stringContaining(issue),
      ]);
  });

  test('is accepted as URL only', async () => {
    const { client } = await wanForTest();
    const reply = await client.submit(bodyFor('wan2.6-i2v', { input: { audio_url: dataUrl(wav(3), 'audio/wav') } }));
    expect(reply.body).toMatchObject({ code: 'InvalidParameter', message: 'url error, please check url！' });
  });
});

describe('later models, as the facts describe them', () => {
  test('wan2.6-i2v-flash makes silent videos on request, which its usage shows', async () => {
    const { client, clock } = await wanForTest();
    const parameters = { resolution: '720P', duration: 2, audio: false };
    const taskId = await client.create(bodyFor('wan2.6-i2v-flash', { parameters }));
    clock.advance(6);
    expect((await client.query(taskId)).body.usage).toMatchObject({ duration: 2, audio: false });
  });
});
