import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { estimate } from '../../../functions/api/videos/estimates.ts';
import { readVideo } from '../../../functions/video/store.ts';
import { mp3Of, wavOf } from '../../support/audio-variants.ts';
import { app1, jpeg, png } from '../../support/image-variants.ts';
import { startTable } from '../../support/table.ts';
import { aDeployment, fileOf } from '../../support/videos.ts';
import { aDashscope } from '../api/dashscope/support.ts';
import { anApi, aRequest, dataUrl, responseOf } from '../api/support.ts';

let store: Awaited<ReturnType<typeof startTable>>;
beforeAll(async () => {
  store = await startTable();
});
afterAll(() => store.close());

const image = png({ width: 400, height: 400 });
const audio = mp3Of({ seconds: 4 });
const bodyOf = (audio_url: string, img_url = dataUrl(image)) => ({
  model: 'wan2.5-i2v-preview',
  input: { prompt: 'A cat sings', img_url, audio_url },
});

describe('audio within a request', () => {
  test('is stored below the id of its video, next to the image, and the record holds none of its bytes', async () => {
    const api = anApi(store.table);
    const { status, body: video } = await api.submit({ body: bodyOf(dataUrl(audio, 'audio/mp3')) });
    expect(status).toBe(202);
    const record = (await readVideo(store.table, video.id))!;
    expect(fileOf(record, 'driving_audio')).toMatchObject({
      key: expect.stringMatching(new RegExp(`^inputs/${video.id}/[0-9a-f]{64}\\.mp3$`)),
      content_type: 'audio/mpeg',
      bytes: audio.length,
      duration_seconds: expect.closeTo(4, 1),
    });
    expect(record.input.media).toMatchObject([
      { type: 'first_frame', url: `s3://uploads/${fileOf(record)!.key}` },
      { type: 'driving_audio', url: `s3://uploads/${fileOf(record, 'driving_audio')!.key}` },
    ]);
    expect(api.objects.get(fileOf(record, 'driving_audio')!.key)).toMatchObject({ content_type: 'audio/mpeg' });
    expect(Buffer.compare(api.objects.get(fileOf(record, 'driving_audio')!.key)!.bytes, audio)).toBe(0);
  });

  test('is accepted by the protocol of Wan, also without its beginning', async () => {
    const dashscope = aDashscope(store.table);
    for (const audio_url of [dataUrl(audio, 'application/octet-stream'), audio.toString('base64')]) {
      const { status, body } = await dashscope.call({
        method: 'POST',
        path: 'services/aigc/video-generation/video-synthesis',
        headers: { 'X-DashScope-Async': 'enable' },
        body: bodyOf(audio_url),
      });
      expect([status, body]).toEqual([200, expect.anything()]);
      const record = await readVideo(store.table, body.output.task_id);
      expect(record?.input.media).toMatchObject([{ file: { width: 400 } }, { file: { content_type: 'audio/mpeg' } }]);
    }
  });

  test('of over 4 MiB is a 413 that names the way for larger files, and nothing is stored', async () => {
    const api = anApi(store.table);
    const large = Buffer.concat([wavOf({ seconds: 29 }), Buffer.alloc(4 * 1024 * 1024)]);
    expect(await api.submit({ body: bodyOf(dataUrl(large, 'audio/wav')) })).toMatchObject({
      status: 413,
      body: {
        code: 'audio_too_large',
        detail: expect.stringMatching(/4194304 bytes.*POST \/uploads/),
        errors: [{ pointer: '/input/audio_url', code: 'audio_too_large' }],
      },
    });
    expect(api.objects.size).toBe(0);
  });

  test('is refused by name, together with what is wrong with the image', async () => {
    const api = anApi(store.table);
    const aac = Buffer.from('\xff\xf1\x50\x80', 'latin1');
    const answer = await api.submit({
      body: bodyOf(dataUrl(aac, 'audio/mpeg'), dataUrl(png({ width: 10, height: 10 }))),
    });
    expect(answer).toMatchObject({
      status: 400,
      body: {
        errors: [
          { pointer: '/input/img_url', code: 'image_dimensions' },
          { pointer: '/input/audio_url', code: 'unsupported_audio_type' },
        ],
      },
    });
    expect(answer.body.detail).toContain('The file is an AAC audio file');
    expect(api.objects.size).toBe(0);
  });
});

test('warnings about files are in the estimate, in the answer, and in the video', async () => {
  const photo = dataUrl(jpeg({ width: 640, height: 400, before: [app1(6)] }));
  const cut = dataUrl(wavOf({ seconds: 5 }).subarray(0, 60_000));
  const expected = [
    { pointer: '/input/img_url', code: 'image_rotated_by_exif' },
    { pointer: '/input/audio_url', code: 'audio_truncated' },
  ];
  const services = {
    trustedOrigins: [],
    uploadsBucket: 'uploads',
    deployment: aDeployment(),
    typicalSeconds: undefined,
  } as const;
  const request = aRequest({ body: bodyOf(cut, photo), resource: '/estimates' });
  expect(responseOf(await estimate(services, request, { owner: 'alice', key_id: 'k' })).body.warnings).toMatchObject(
    expected,
  );
  const api = anApi(store.table);
  const { body: video } = await api.submit({ body: bodyOf(cut, photo) });
  expect(video.warnings).toMatchObject(expected);
  expect((await readVideo(store.table, video.id))!.warnings).toMatchObject(expected);
});
