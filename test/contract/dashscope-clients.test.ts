import { createAlibaba } from '@ai-sdk/alibaba';
import { APICallError, experimental_generateVideo as generateVideo } from 'ai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readVideo } from '../../functions/video/store.ts';
import { createWanClient } from '../../functions/wan/client/client.ts';
import { explainEnding } from '../../functions/wan/failures.ts';
import { serveDashscope } from '../functions/api/dashscope/serve.ts';
import { aTask, moveTo, succeed } from '../functions/api/dashscope/support.ts';
import { png } from '../functions/media/support.ts';
import { startTable } from '../support/table.ts';
import { firstFrame } from '../support/videos.ts';

/*
 * Clients that were written for Wan: only base URL and key are changed.
 */
const start = Date.parse('2026-03-10T12:00:00.000Z');
const model = 'wan2.5-i2v-preview';
const img_url = 'https://images.example/cat.png';

let now = start;
const store = startTable(() => now);
let served: Awaited<ReturnType<typeof serveDashscope>>;
beforeAll(async () => {
  served = await serveDashscope(store.table);
});
beforeEach(() => {
  now = start;
  served.requests.length = 0;
});
afterAll(async () => {
  await served?.close();
});

const ourClient = (key = 'alice') => createWanClient({ baseUrl: served.url, apiKey: async () => key, fetch });
const iso = (at: number) => new Date(at).toISOString();
const request = (prompt: string, url = img_url) =>
  ({
    model,
    input: { prompt, media: firstFrame(url) },
    parameters: { resolution: '480P', duration: 5, prompt_extend: true, watermark: false },
  }) as const;

test('our Wan client creates, queries, lists and cancels', async () => {
  const client = ourClient('lister');
  const created = await client.createTask(request('A cat'));
  expect(created).toEqual({
    ...{ outcome: 'created', task_id: expect.any(String), task_status: 'PENDING' },
    request_id: expect.any(String),
  });
  const id = created.outcome === 'created' ? created.task_id : '';
  expect(await client.queryTask(id)).toMatchObject({
    status: 'PENDING',
    submit_time: iso(start),
    orig_prompt: 'A cat',
  });
  const span = { model, start_time: iso(start - 60_000), end_time: iso(start + 60_000) } as const;
  expect(await client.listTasks(span)).toMatchObject({
    outcome: 'tasks',
    tasks: [{ task_id: id, status: 'PENDING', submit_time: iso(start) }],
    total_page: 1,
  });
  expect(await client.listTasks({ ...span, status: 'RUNNING' })).toMatchObject({ tasks: [] });
  expect(await client.cancelTask(id)).toMatchObject({ outcome: 'canceled' });
  expect(await client.queryTask(id)).toMatchObject({ outcome: 'task', status: 'CANCELED' });
  expect(await client.cancelTask(id)).toMatchObject({ outcome: 'not_pending' });
});

test('our Wan client receives a video, a failure, and the error of an invalid key', async () => {
  const client = ourClient();
  const [succeeding, failing] = await Promise.all([
    client.createTask(request('A cat')),
    client.createTask(request('A dog')),
  ]);
  if (succeeding.outcome !== 'created' || failing.outcome !== 'created') throw new Error('rejected');
  now += 90_000;
  await succeed(store.table, succeeding.task_id, {
    task: aTask({ status: 'SUCCEEDED', scheduled_time: iso(start + 5000) }),
  });
  expect(await client.queryTask(succeeding.task_id)).toMatchObject({
    status: 'SUCCEEDED',
    ...{ submit_time: iso(start), scheduled_time: iso(start + 5000), end_time: iso(start + 90_000) },
    usage: { duration: 5, video_count: 1, SR: 480 },
    video_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/v1\/api\/v1\/files\/[\w-]{70}\.mp4$/),
  });
  await moveTo(store.table, failing.task_id, 'failed', { set: { error: explainEnding('content_refused') } });
  expect(await client.queryTask(failing.task_id)).toMatchObject({ status: 'FAILED', code: 'DataInspectionFailed' });
  expect(await ourClient('sk-invalid').queryTask(succeeding.task_id)).toMatchObject({
    outcome: 'account_refused',
    reason: 'invalid_key',
  });
  expect(await client.queryTask('unknown')).toMatchObject({ outcome: 'task', status: 'UNKNOWN' });
});

test('our Wan client uploads an image and creates a task with it', async () => {
  const client = ourClient();
  const bytes = png(400, 360);
  const uploaded = await client.uploadFile({ model, name: 'cat.png', bytes, content_type: 'image/png' });
  expect(uploaded).toEqual({
    outcome: 'uploaded',
    url: expect.stringMatching(/^oss:\/\/firstframe\/[0-9a-f-]{36}\/cat\.png$/),
  });
  const created = await client.createTask(request('A cat', uploaded.outcome === 'uploaded' ? uploaded.url : ''));
  if (created.outcome !== 'created') throw new Error(JSON.stringify(created));
  expect(await readVideo(store.table, created.task_id)).toMatchObject({
    owner: 'alice',
    input: { media: [{ type: 'first_frame', file: { width: 400, height: 360, bytes: bytes.byteLength } }] },
  });
  const large = new Uint8Array(4 * 1024 * 1024 + 1);
  const refused = await client.uploadFile({ model, name: 'cat.png', bytes: large, content_type: 'image/png' });
  expect(refused).toMatchObject({ outcome: 'unavailable', cause: 'file_too_large' });
});

const small = {
  resolution: '832x480',
  duration: 5,
  maxRetries: 0,
  providerOptions: { alibaba: { pollIntervalMs: 10, watermark: true, negativePrompt: 'flowers' } },
  download: async () => ({ data: new Uint8Array([0, 0, 0, 24, 102, 116, 121, 112]), mediaType: 'video/mp4' }),
} as const;
const alibaba = (apiKey: string) => createAlibaba({ videoBaseURL: served.url.replace('/api/v1', ''), apiKey });

/** Ends the latest task after its first query. */
async function endQueriedTask(end: (id: string) => Promise<unknown>) {
  for (;;) {
    const id = /\/tasks\/([0-9a-f-]{36})$/.exec(served.requests.at(-1)?.url ?? '')?.[1];
    if (id) return end(id);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test.each([
  ['a URL', img_url, { media: [{ type: 'first_frame', url: img_url }] }],
  [
    'bytes, which it sends as bare base64',
    new Uint8Array(png(400, 360)),
    { media: [{ type: 'first_frame', url: expect.stringMatching(/^s3:\/\/uploads\/inputs\//) }] },
  ],
])('ai-sdk makes a video from %s', async (_, image, input) => {
  const [{ video, warnings, providerMetadata }] = await Promise.all([
    generateVideo({ ...small, model: alibaba('vercel').video(model), prompt: { image, text: 'A cat runs' }, seed: 7 }),
    endQueriedTask((id) => succeed(store.table, id)),
  ]);
  expect([warnings, video.mediaType]).toEqual([[], 'video/mp4']);
  const { taskId, usage } = providerMetadata.alibaba as { taskId: string; usage: unknown };
  expect(usage).toEqual({ duration: 5, resolution: 480 });
  expect(await readVideo(store.table, taskId)).toMatchObject({
    owner: 'vercel',
    input: { prompt: 'A cat runs', negative_prompt: 'flowers', ...input },
    parameters: { seed: 7, watermark: true, resolution: '480P', duration: 5 },
  });
});

const errorOf = (apiKey: string, text: string, image = img_url) =>
  generateVideo({ ...small, model: alibaba(apiKey).video(model), prompt: { image, text } }).then(
    () => undefined,
    (error: unknown) => error,
  );

test('ai-sdk returns the message of a failed task', async () => {
  const [error] = await Promise.all([
    errorOf('vercel', 'A cat'),
    endQueriedTask((id) => moveTo(store.table, id, 'failed', { set: { error: explainEnding('content_refused') } })),
  ]);
  expect(error).toMatchObject({
    name: 'ALIBABA_VIDEO_GENERATION_FAILED',
    message: expect.stringContaining('Input or output data may contain inappropriate content.'),
  });
});

test.each([
  ['an invalid key', 'sk-invalid', img_url, 401, 'InvalidApiKey', /^Invalid API-key provided\.$/],
  ['a rejected request', 'vercel', 'http://10.0.0.1/x.png', 400, 'InvalidParameter', /^url error, please check url！/],
])('ai-sdk returns the error of %s', async (_, apiKey, image, statusCode, code, message) => {
  const error = await errorOf(apiKey, 'A cat', image);
  expect(APICallError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({
    statusCode,
    message: expect.stringMatching(message),
    isRetryable: false,
    data: { code, message: expect.stringMatching(message), request_id: expect.any(String) },
  });
});
