import { createAlibaba } from '@ai-sdk/alibaba';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { experimental_generateVideo as generateVideo } from 'ai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createTaskResponseBody,
  listTasksResponseBody,
  queryTaskResponseBody,
  requestIdResponseBody,
  uploadPolicyResponseBody,
} from '../../functions/api/dashscope/schemas.ts';
import { createWanClient, type WanClient } from '../../functions/wan/client/client.ts';
import type { Task } from '../../functions/wan/client/query-task.ts';
import { type Endpoint, openEndpoint } from '../support/endpoint.ts';
import { png } from '../support/png.ts';
import { probe } from '../support/probe.ts';
import { firstFrame } from '../support/videos.ts';

/* The protocol of the reference, end to end: gateway, authorizers, workflow and Wan. */

let api: Endpoint;
let client: WanClient;
let imageUrl: string;
beforeAll(async () => {
  api = await openEndpoint();
  client = createWanClient({ baseUrl: `${api.url}/api/v1`, apiKey: async () => api.api_key, fetch });
  const object = { Bucket: api.uploads_bucket, Key: `e2e/dashscope-${Date.now()}.png` };
  await api.s3.send(new PutObjectCommand({ ...object, Body: png(640, 480), ContentType: 'image/png' }));
  imageUrl = await getSignedUrl(api.s3, new GetObjectCommand(object));
});
afterAll(() => api?.close());

const model = 'wan2.5-i2v-preview';
const submit = '/api/v1/services/aigc/video-generation/video-synthesis';
const asynchronous = { 'x-dashscope-async': 'enable' };
const body = (given: object = {}) => ({
  model,
  input: { prompt: 'A cat runs', img_url: imageUrl, ...given },
  parameters: { resolution: '480P', duration: 5 },
});
const parameters = { resolution: '480P', duration: 5, prompt_extend: true, watermark: false } as const;

async function created(prompt: string, img_url = imageUrl): Promise<string> {
  const answer = await client.createTask({ model, input: { prompt, media: firstFrame(img_url) }, parameters });
  if (answer.outcome !== 'created') throw new Error(JSON.stringify(answer));
  return answer.task_id;
}

async function ended(id: string): Promise<Task> {
  for (;;) {
    const asked = await client.queryTask(id);
    if (asked.outcome !== 'task') throw new Error(JSON.stringify(asked));
    if (!['PENDING', 'RUNNING'].includes(asked.status)) return asked;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('our Wan client, with our base URL and key', () => {
  test('makes a video of an uploaded image, and finds it in the list', async () => {
    const upload = { model, name: 'a cat é.png', bytes: png(640, 480), content_type: 'image/png' } as const;
    const uploaded = await client.uploadFile(upload);
    if (uploaded.outcome !== 'uploaded') throw new Error(JSON.stringify(uploaded));
    const id = await created('A cat runs', uploaded.url);
    const task = await ended(id);
    expect(task).toMatchObject({
      status: 'SUCCEEDED',
      orig_prompt: 'A cat runs',
      actual_prompt: expect.stringContaining('A cat runs'),
      usage: { duration: 5, video_count: 1, SR: 480 },
    });
    expect(await probe(task.video_url ?? '')).toMatchObject({ codec: 'h264', seconds: 5 });
    const now = Date.now();
    const [start_time, end_time] = [now - 600_000, now + 600_000].map((at) => new Date(at).toISOString());
    const listed = await client.listTasks({ model, start_time: start_time!, end_time: end_time!, status: 'SUCCEEDED' });
    expect(listed).toMatchObject({ tasks: expect.arrayContaining([expect.objectContaining({ task_id: id })]) });
    expect(await client.cancelTask(id)).toMatchObject({ outcome: 'not_pending' });
  });

  test('gets a link that serves the file without a key, by GET, HEAD and ranges, until the video is deleted', async () => {
    const id = await created('A cat sleeps');
    const { video_url: link = '' } = await ended(id);
    expect(link).toMatch(/\/api\/v1\/files\/[\w-]{70}\.mp4$/);
    const whole = await fetch(link);
    const bytes = Buffer.from(await whole.arrayBuffer());
    expect([whole.status, whole.redirected, whole.headers.get('content-type')]).toEqual([200, true, 'video/mp4']);
    expect(bytes.toString('latin1', 4, 8)).toBe('ftyp');
    const head = await fetch(link, { method: 'HEAD' });
    expect([head.status, Number(head.headers.get('content-length'))]).toEqual([200, bytes.length]);
    const range = await fetch(link, { headers: { range: 'bytes=100-199' } });
    expect([range.status, Buffer.from(await range.arrayBuffer())]).toEqual([206, bytes.subarray(100, 200)]);
    const altered = await fetch(link.replace(/(.)\.mp4$/, (_, last) => `${last === 'A' ? 'B' : 'A'}.mp4`));
    expect([altered.status, await altered.json()]).toMatchObject([403, { code: 'AccessDenied' }]);
    expect(await api.call(`/videos/${id}`, { method: 'DELETE' })).toMatchObject({ status: 204 });
    const gone = await fetch(link);
    expect([gone.status, await gone.json()]).toMatchObject([404, { code: 'NotFound' }]);
  });

  test('cancels a task immediately after creating it', async () => {
    const id = await created('[[pending=600]]');
    expect(await client.cancelTask(id)).toMatchObject({ outcome: 'canceled' });
    expect(await ended(id)).toMatchObject({ status: 'CANCELED' });
  });

  test('returns the code of a failed task', async () => {
    const task = await ended(await created('[[fail=DataInspectionFailed]]'));
    expect(task).toMatchObject({
      status: 'FAILED',
      code: 'DataInspectionFailed',
      message: expect.stringMatching(/\S/),
    });
  });
});

describe('ai-sdk, with our base URL and key', () => {
  test.each([
    ['a URL', () => imageUrl],
    ['bytes', () => new Uint8Array(png(640, 480))],
  ])('makes a video from %s', async (_, image) => {
    const alibaba = createAlibaba({ videoBaseURL: api.url, apiKey: api.api_key });
    const { video, warnings, providerMetadata } = await generateVideo({
      model: alibaba.video(model),
      prompt: { image: image(), text: 'A cat runs' },
      ...{ resolution: '832x480', duration: 5, maxRetries: 0 },
      providerOptions: { alibaba: { pollIntervalMs: 100, promptExtend: true } },
      // The SDK's download rejects loopback addresses.
      download: async ({ url }) => {
        const response = await fetch(url);
        return { data: new Uint8Array(await response.arrayBuffer()), mediaType: undefined };
      },
    });
    expect([warnings, video.mediaType]).toEqual([[], 'video/mp4']);
    expect(Buffer.from(video.uint8Array).toString('latin1', 4, 8)).toBe('ftyp');
    const { taskId } = providerMetadata.alibaba as { taskId: string };
    expect(await api.finished(taskId)).toMatchObject({ status: 'succeeded', input: { prompt: 'A cat runs' } });
  });
});

describe('the requests of the SDKs, as recorded on the wire', () => {
  /** Headers that the Python SDK sends with each request. */
  const sdkHeaders = {
    accept: 'application/json; charset=utf-8',
    'accept-encoding': 'gzip, deflate',
    'x-dashscope-sdk-client': 'python-sdk/2.0.2/aigc',
    'x-dashscope-sdk-session-id': '54fd72688565469e9846034c5adba5b4',
    'user-agent': 'dashscope/2.0.2; python/3.11.7; platform/Linux; processor/',
  };

  test('are accepted: policy, upload, submission, query, list and cancellation', async () => {
    const asked = await api.call(`/api/v1/uploads?action=getPolicy&model=${model}`, { headers: sdkHeaders });
    expect(asked.status).toBe(200);
    const { data } = uploadPolicyResponseBody.parse(asked.body);
    const form = new FormData();
    for (const [name, value] of [
      ['OSSAccessKeyId', data.oss_access_key_id],
      ['Signature', data.signature],
      ['policy', data.policy],
      ['key', `${data.upload_dir}/cat é.png`],
      ['x-oss-object-acl', data.x_oss_object_acl],
      ['x-oss-forbid-overwrite', data.x_oss_forbid_overwrite],
      ['success_action_status', '200'],
      ['x-oss-content-type', 'image/png'],
    ] as const)
      form.set(name, value);
    form.set('file', new Blob([new Uint8Array(png(640, 480))]), 'cat é.png');
    // The form has no key; the SDK sends only Date and Accept with it.
    const headers = {
      accept: 'application/json',
      date: 'Sun, 22 Nov 2026 12:32:24 GMT',
      'user-agent': sdkHeaders['user-agent'],
    };
    const sent = await fetch(data.upload_host, { method: 'POST', body: form, headers });
    expect(sent.status).toBe(200);
    expect((await fetch(data.upload_host, { method: 'POST', body: form, headers })).status).toBe(400);

    const answer = await api.post(
      submit,
      {
        model,
        parameters: { duration: 5, seed: 12345, prompt_extend: true, watermark: false, resolution: '480P' },
        input: {
          ...{ prompt: 'A cat [[pending=600]]', extend_prompt: true, function: 'video-synthesis' },
          img_url: `oss://${data.upload_dir}/cat é.png`,
        },
      },
      {
        ...sdkHeaders,
        ...asynchronous,
        'x-dashscope-ossresourceresolve': 'enable',
        'content-type': 'application/json; charset=utf-8',
      },
    );
    expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
    const { task_id } = createTaskResponseBody.parse(answer.body).output;
    for (const slash of ['', '/']) {
      const queried = await api.call(`/api/v1/tasks/${task_id}${slash}`, { headers: sdkHeaders });
      expect(queryTaskResponseBody.parse(queried.body).output).toMatchObject({ task_id, task_status: 'PENDING' });
      const listed = await api.call(`/api/v1/tasks${slash}?page_no=1&page_size=10&model_name=${model}`, {
        headers: sdkHeaders,
      });
      expect(listTasksResponseBody.parse(listed.body).data.map((row) => row.task_id)).toContain(task_id);
    }
    const canceled = await api.call(`/api/v1/tasks/${task_id}/cancel/`, { method: 'POST', headers: sdkHeaders });
    expect([canceled.status, canceled.body]).toEqual([200, expect.anything()]);
    requestIdResponseBody.parse(canceled.body);
  });

  test('accepts a query of the Java SDK, which has a content type but no body', async () => {
    const headers = { 'content-type': 'application/json', 'accept-encoding': 'gzip' };
    const { status, body: answer } = await api.call('/api/v1/tasks', { headers });
    expect(status).toBe(200);
    listTasksResponseBody.parse(answer);
  });
});

describe('errors have the shape of the reference', () => {
  const rejected = async (route: string, init: RequestInit = {}) => {
    const answer = await api.call(route, init);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.body).toMatchObject({
      code: expect.any(String),
      message: expect.any(String),
      request_id: expect.any(String),
    });
    return [answer.status, answer.body.code];
  };
  const post = (given: unknown, headers: Record<string, string> = asynchronous) => ({
    method: 'POST',
    headers,
    body: typeof given === 'string' ? given : JSON.stringify(given),
  });

  test('from handlers and gateway', async () => {
    expect(await rejected(submit, post(body(), {}))).toEqual([403, 'AccessDenied']);
    expect(await rejected(submit, post('{'))).toEqual([400, 'InvalidParameter']);
    expect(await rejected(submit, post({ ...body(), model: 'wan9' }))).toEqual([404, 'ModelNotFound']);
    expect(await rejected(submit, post(body({ img_url: 'oss://dashscope-instant/x/cat.png' })))).toEqual([
      400,
      'InvalidParameter',
    ]);
    expect(await rejected('/api/v1/nothing')).toEqual([404, 'NotFound']);
    expect(await rejected('/api/v1/tasks/x', { method: 'DELETE' })).toEqual([405, 'MethodNotAllowed']);
    expect(await rejected('/api/v1/tasks', { headers: { authorization: 'Bearer invalid' } })).toEqual([
      401,
      'unauthorized',
    ]);
    expect(
      await rejected('/api/v1/uploads?upload_token=invalid', { method: 'POST', body: new FormData(), headers: {} }),
    ).toEqual([401, 'unauthorized']);
    expect(await rejected(submit, post(body({ img_url: `data:image/png;base64,${'A'.repeat(11_000_000)}` })))).toEqual([
      413,
      'request_too_large',
    ]);
  });

  test("another owner's task is UNKNOWN and cannot be canceled", async () => {
    const id = await created('[[pending=600]]');
    const headers = { authorization: `Bearer ${api.other_api_key}` };
    const { body: answer } = await api.call(`/api/v1/tasks/${id}`, { headers });
    expect(queryTaskResponseBody.parse(answer).output).toEqual({ task_id: id, task_status: 'UNKNOWN' });
    expect((await api.call('/api/v1/tasks', { headers })).body).toMatchObject({ total: 0, data: [] });
    expect(await rejected(`/api/v1/tasks/${id}/cancel`, { method: 'POST', headers })).toEqual([
      400,
      'UnsupportedOperation',
    ]);
    expect(await client.cancelTask(id)).toMatchObject({ outcome: 'canceled' });
  });
});
