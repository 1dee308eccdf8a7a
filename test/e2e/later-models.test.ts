import { createAlibaba } from '@ai-sdk/alibaba';
import { experimental_generateVideo as generateVideo } from 'ai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { difference, frameOf, pixelsOf, png, probe } from '../local/wan/support.ts';
import { type Endpoint, openEndpoint } from '../support/endpoint.ts';

/* Media lists of wan2.7 and wan3.0, end to end: by the published AI SDK, by plain HTTP, and by the names that other clients send. */

let api: Endpoint;
beforeAll(async () => {
  api = await openEndpoint();
});
afterAll(() => api?.close());

const start = png(640, 480, { color: [220, 60, 30] });
const end = png(640, 480, { color: [30, 60, 220] });
const dataUrl = (image: Buffer) => `data:image/png;base64,${image.toString('base64')}`;

/** Expects that a video begins and ends like its two frames. */
async function expectFrames(video: Buffer): Promise<void> {
  expect(difference(await frameOf(video), await pixelsOf(end))).toBeLessThan(8);
  expect(difference(await frameOf(video, 0), await pixelsOf(end))).toBeGreaterThan(40);
}

const fileOf = async (id: string): Promise<Buffer> => {
  const { body } = await api.call(`/videos/${id}/content`, { headers: { accept: 'application/json' } });
  return Buffer.from(await (await fetch(String(body.url))).arrayBuffer());
};

describe('the AI SDK, with our base URL and key', () => {
  const settings = {
    maxRetries: 0,
    providerOptions: { alibaba: { pollIntervalMs: 100 } },
    // The SDK's download rejects loopback addresses.
    download: async ({ url }: { url: URL }) => ({
      data: new Uint8Array(await (await fetch(url)).arrayBuffer()),
      mediaType: undefined,
    }),
  } as const;
  const model = (name: string) => createAlibaba({ videoBaseURL: api.url, apiKey: api.api_key }).video(name);

  test('makes a video of wan3.0 between a first and a last frame', async () => {
    const { video, warnings, providerMetadata } = await generateVideo({
      ...settings,
      model: model('wan3.0-video'),
      prompt: 'A cat runs',
      frameImages: [
        { image: new Uint8Array(start), frameType: 'first_frame' },
        { image: new Uint8Array(end), frameType: 'last_frame' },
      ],
      ...{ resolution: '832x480', aspectRatio: '16:9', duration: 3, generateAudio: false },
    });
    expect(warnings).toEqual([]);
    await expectFrames(Buffer.from(video.uint8Array));
    const { taskId, usage } = providerMetadata.alibaba as { taskId: string; usage: object };
    expect(usage).toMatchObject({
      duration: 3,
      inputVideoDuration: 0,
      outputVideoDuration: 3,
      resolution: 480,
      ratio: '16:9',
    });
    expect(await api.finished(taskId)).toMatchObject({
      status: 'succeeded',
      model: 'wan3.0-video',
      input: {
        media: [
          { type: 'first_frame', file: { width: 640 } },
          { type: 'last_frame', file: { width: 640 } },
        ],
      },
      parameters: { resolution: '480P', ratio: '16:9', audio: false, duration: 3 },
      warnings: [],
      cost: { seconds: 3, amount: 0.15 },
    });
  });

  test('makes a video of wan2.7 from img_url, as it sends it', async () => {
    const { video, warnings, providerMetadata } = await generateVideo({
      ...settings,
      model: model('wan2.7-i2v'),
      prompt: { image: new Uint8Array(start), text: 'A cat runs' },
      ...{ resolution: '1280x720', duration: 2 },
    });
    expect(warnings).toEqual([]);
    expect(Buffer.from(video.uint8Array).toString('latin1', 4, 8)).toBe('ftyp');
    const { taskId } = providerMetadata.alibaba as { taskId: string };
    expect(await api.finished(taskId)).toMatchObject({
      status: 'succeeded',
      input: { media: [{ type: 'first_frame', file: { width: 640 } }] },
      warnings: [],
      cost: { seconds: 2, amount: 0.2 },
    });
  });
});

describe('POST /videos', () => {
  test('makes a video of wan2.7 between a first and a last frame, by shorthand and by list alike', async () => {
    const parameters = { resolution: '720P', duration: 2 };
    const prompt = `A cat runs ${Date.now()}`;
    const short = { prompt, img_url: dataUrl(start), last_frame_url: dataUrl(end) };
    const media = [
      { type: 'last_frame', url: dataUrl(end) },
      { type: 'first_frame', url: dataUrl(start) },
    ];
    const headers = { 'idempotency-key': `frames-${Date.now()}` };
    const created = await api.post('/videos', { model: 'wan2.7-i2v', input: short, parameters }, headers);
    expect(created.status).toBe(202);
    const again = await api.post('/videos', { model: 'wan2.7-i2v', input: { prompt, media }, parameters }, headers);
    expect(again).toMatchObject({ status: 200, body: { id: created.body.id } });
    const video = await api.finished(String(created.body.id));
    expect(video).toMatchObject({ status: 'succeeded', warnings: [], usage: { duration: 2 } });
    const file = await fileOf(video.id);
    await expectFrames(file);
    expect(Number((await probe(file)).format.duration)).toBeCloseTo(2, 1);
  });

  test('bills a continuation as a whole, and it begins with its clip', async () => {
    const first = await api.post('/videos', {
      model: 'wan2.2-i2v-flash',
      input: { prompt: 'A cat runs', img_url: dataUrl(start) },
      parameters: { resolution: '480P' },
    });
    await api.finished(String(first.body.id));
    const clip = await fileOf(String(first.body.id));
    const upload = await api.post('/uploads', { content_type: 'video/mp4', bytes: clip.length });
    expect(upload.status).toBe(201);
    const form = new FormData();
    for (const [name, value] of Object.entries(upload.body.fields as Record<string, string>)) form.set(name, value);
    form.set('file', new Blob([new Uint8Array(clip)]), 'clip.mp4');
    expect((await fetch(String(upload.body.upload_url), { method: 'POST', body: form })).status).toBe(204);
    const created = await api.post('/videos', {
      model: 'wan2.7-i2v',
      input: { prompt: 'It walks on', media: [{ type: 'first_clip', url: upload.body.media_url }] },
      parameters: { resolution: '720P', duration: 7 },
    });
    expect(created).toMatchObject({ status: 202, body: { estimated_cost: { seconds: 7 } } });
    const video = await api.finished(String(created.body.id));
    expect(video).toMatchObject({ status: 'succeeded', cost: { seconds: 7, amount: 0.7 }, warnings: [] });
    const file = await fileOf(video.id);
    expect(difference(await frameOf(file, 2), await frameOf(clip, 2))).toBeLessThan(8);
  });
});

test('the DashScope routes take the names that the SDKs have as constants', async () => {
  for (const [sent, model] of [
    ['wanx2.1-i2v-turbo', 'wan2.1-i2v-turbo'],
    ['wanx2.1-i2v-plus', 'wan2.1-i2v-plus'],
  ]) {
    const body = { model: sent, input: { prompt: 'A cat runs', img_url: dataUrl(start) } };
    const headers = { 'x-dashscope-async': 'enable' };
    const created = await api.post('/api/v1/services/aigc/video-generation/video-synthesis', body, headers);
    expect(created.status).toBe(200);
    const { task_id: id } = created.body.output as { task_id: string };
    expect(await api.finished(id)).toMatchObject({ status: 'succeeded', model });
    const list = await api.call(`/api/v1/tasks?model_name=${sent}&task_id=${id}`);
    expect(list.body.data).toMatchObject([{ task_id: id, model_name: sent }]);
  }
});
