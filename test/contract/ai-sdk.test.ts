import { createAlibaba } from '@ai-sdk/alibaba';
import { APICallError, experimental_generateVideo as generateVideo } from 'ai';
import { expect, test } from 'vitest';
import type { Wan } from '../../local/wan/server.ts';
import { difference, fetchOf, frameOf, pixelsOf, png, probe, wanForTest } from '../local/wan/support.ts';

/*
 * A published client of Wan: the emulator must have everything that it relies on. Only base URL and key are changed, as for a
 * proxy in front of the service.
 */

const image = png(640, 480);
const imageUrl = 'https://images.example/cat.png';
const model = 'wan2.1-i2v-turbo';

const startWan = () => wanForTest({ taskSeconds: 0.1, now: Date.now, fetch: fetchOf({ [imageUrl]: image }).fetch });

const alibaba = (wan: Wan, apiKey = 'sk-test') =>
  createAlibaba({ videoBaseURL: wan.url.replace('/api/v1', ''), apiKey });

/** Settings of the client: the smallest video, polled often. */
const small = {
  resolution: '832x480',
  duration: 3,
  providerOptions: { alibaba: { pollIntervalMs: 20, promptExtend: true, watermark: true, negativePrompt: 'flowers' } },
  maxRetries: 0,
  // The SDK's download rejects loopback addresses, where the emulator serves its videos.
  download: async ({ url }: { url: URL }) => {
    const response = await fetch(url);
    return { data: new Uint8Array(await response.arrayBuffer()), mediaType: undefined };
  },
} as const;

test.each([
  ['a URL', imageUrl, imageUrl],
  ['bytes, which it sends as bare base64', new Uint8Array(image), image.toString('base64')],
])('makes a video from %s', async (_, image, sent) => {
  const { wan } = await startWan();
  const { video, warnings, providerMetadata } = await generateVideo({
    ...small,
    model: alibaba(wan).video(model),
    prompt: { image, text: 'A cat runs' },
    seed: 7,
  });
  expect(warnings).toEqual([]);
  expect(video.mediaType).toBe('video/mp4');
  const { streams, format } = await probe(Buffer.from(video.uint8Array));
  expect(streams[0]).toMatchObject({ codec_name: 'h264', width: 720, height: 544 });
  expect(Number(format.duration)).toBe(3);

  const [submit, ...queries] = wan.requests.filter(({ url }) => url.startsWith('/api/'));
  expect(JSON.parse(submit?.body ?? '')).toEqual({
    model,
    input: { prompt: 'A cat runs', negative_prompt: 'flowers', img_url: sent },
    parameters: { duration: 3, seed: 7, resolution: '480P', prompt_extend: true, watermark: true },
  });
  const { taskId } = providerMetadata.alibaba as { taskId: string };
  expect(new Set(queries.map(({ url }) => url))).toEqual(new Set([`/api/v1/tasks/${taskId}`]));
  expect(providerMetadata.alibaba).toMatchObject({ actualPrompt: expect.stringContaining('A cat runs') });
});

test('returns the usage of a video with audio', async () => {
  const { wan } = await startWan();
  const { providerMetadata } = await generateVideo({
    ...small,
    model: alibaba(wan).video('wan2.5-i2v-preview'),
    prompt: { image: imageUrl, text: 'A cat runs' },
    duration: 5,
  });
  expect(providerMetadata.alibaba).toMatchObject({ usage: { duration: 5, resolution: 480 } });
});

test('makes a video of wan2.7 from img_url, which it still sends', async () => {
  const { wan } = await startWan();
  const { video, warnings, providerMetadata } = await generateVideo({
    ...small,
    model: alibaba(wan).video('wan2.7-i2v'),
    prompt: { image: imageUrl, text: 'A cat runs' },
    resolution: '1280x720',
  });
  expect(warnings).toEqual([]);
  expect(JSON.parse(wan.requests[0]?.body ?? '')).toMatchObject({
    model: 'wan2.7-i2v',
    input: { img_url: imageUrl },
    parameters: { resolution: '720P', duration: 3 },
  });
  const { streams, format } = await probe(Buffer.from(video.uint8Array));
  expect(streams.map(({ codec_type }) => codec_type)).toEqual(['video', 'audio']);
  expect(Number(format.duration)).toBe(3);
  expect(providerMetadata.alibaba).toMatchObject({ usage: { duration: 3, outputVideoDuration: 3, resolution: 720 } });
});

test('makes a video of wan3.0 between a first and a last frame', async () => {
  const { wan } = await startWan();
  const end = png(640, 480, { color: [30, 60, 220] });
  const { video, warnings, providerMetadata } = await generateVideo({
    ...small,
    model: alibaba(wan).video('wan3.0-video'),
    prompt: 'A cat runs',
    frameImages: [
      { image: imageUrl, frameType: 'first_frame' },
      { image: new Uint8Array(end), frameType: 'last_frame' },
    ],
    aspectRatio: '16:9',
    generateAudio: false,
  });
  expect(warnings).toEqual([]);
  const { input, parameters } = JSON.parse(wan.requests[0]?.body ?? '');
  expect(input.media).toEqual([
    { type: 'first_frame', url: imageUrl },
    { type: 'last_frame', url: expect.stringMatching(/^data:image\/png;base64,/) },
  ]);
  expect(parameters).toMatchObject({ ratio: '16:9', audio: false, resolution: '480P', duration: 3 });

  const content = Buffer.from(video.uint8Array);
  const { streams, format } = await probe(content);
  expect(streams).toHaveLength(1);
  expect(streams[0]).toMatchObject({ codec_name: 'h264', width: 848, height: 480 });
  expect(Number(format.duration)).toBe(3);
  expect(difference(await frameOf(content), await pixelsOf(end))).toBeLessThan(8);
  expect(difference(await frameOf(content, 0), await pixelsOf(end))).toBeGreaterThan(40);
  expect(providerMetadata.alibaba).toMatchObject({
    usage: { duration: 3, inputVideoDuration: 0, outputVideoDuration: 3, resolution: 480, fps: 30, ratio: '16:9' },
  });
});

test('makes a video of wan3.0 from text, and from references', async () => {
  const { wan } = await startWan();
  for (const inputReferences of [undefined, [imageUrl]]) {
    const { video, warnings } = await generateVideo({
      ...small,
      model: alibaba(wan).video('wan3.0-video'),
      prompt: 'A cat runs',
      ...(inputReferences && { inputReferences }),
    });
    expect(warnings).toEqual([]);
    expect(Number((await probe(Buffer.from(video.uint8Array))).format.duration)).toBe(3);
  }
});

const failing = (wan: Wan, text: string, apiKey?: string) =>
  generateVideo({ ...small, model: alibaba(wan, apiKey).video(model), prompt: { image: imageUrl, text } }).then(
    () => undefined,
    (error: unknown) => error,
  );

test('returns the message of a failed task', async () => {
  const { wan } = await startWan();
  const error = await failing(wan, 'A cat [[fail=DataInspectionFailed]]');
  expect(error).toMatchObject({
    name: 'ALIBABA_VIDEO_GENERATION_FAILED',
    message: expect.stringMatching(/^Video generation failed\. Task ID: [0-9a-f-]{36}\. Output data may contain/),
  });
});

test.each([
  ['an invalid key', 'sk-invalid-1', 'A cat', 401, 'InvalidApiKey', 'Invalid API-key provided.', false],
  [
    ...(['too many requests', 'sk-throttled-1', 'A cat', 429, 'Throttling.RateQuota'] as const),
    'Requests rate limit exceeded, please try again later.',
    true,
  ],
  [
    ...(['rejected content', 'sk-test', '[[http=400:DataInspectionFailed]]', 400, 'DataInspectionFailed'] as const),
    'Input data may contain inappropriate content.',
    false,
  ],
  [
    ...(['an unavailable service', 'sk-test', '[[http=503:ModelServingError]]', 503, 'ModelServingError'] as const),
    'Model serving is busy, please try again later.',
    true,
  ],
])('returns the error of %s', async (_, apiKey, text, statusCode, code, message, isRetryable) => {
  const { wan } = await startWan();
  const error = await failing(wan, text, apiKey);
  expect(APICallError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({
    statusCode,
    message,
    isRetryable,
    data: { code, message, request_id: expect.any(String) },
  });
  expect(wan.requests).toHaveLength(1);
});
