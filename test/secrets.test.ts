import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readSettings } from '../local/settings.ts';
import { type LocalStack, startLocal } from '../local/stack.ts';
import { startWan, type Wan } from '../local/wan/server.ts';
import { keepCall } from './support/aws-calls.ts';
import { type Endpoint, onStack } from './support/endpoint.ts';
import { png, pngUrl } from './support/png.ts';
import { findMarkers, scan } from './support/scan.ts';

/** Unlike any text that the stack writes by itself. */
const marker = (name: string): string => `zq${name}${randomUUID().replaceAll('-', '')}`;

const markers: Record<string, string> = {
  prompt: marker('prompt'),
  'negative prompt': marker('negative'),
  metadata: marker('metadata'),
  'API key of the deployment': marker('key'),
  "Wan's key": `sk-${marker('wan')}`,
  'an unknown key': marker('unknown'),
  'a token': `eyJhbGciOiJFUzI1NiJ9.${marker('claims')}.${marker('signature')}`,
  'the signature of an image URL': marker('image'),
  'a sidecar that is not JSON': marker('sidecar'),
  'a body that is not JSON': marker('body'),
  'a path': marker('path'),
  // Local tokens end with the ARN of their execution, in base64.
  'a token of an execution': Buffer.from('arn:aws:states:us-').toString('base64url'),
};

/** The folders of logs, executions, and queues with their dead letters. */
const written = ['logs', 'step-functions', 'queues'];
const remove = (directory: string) => () => rmSync(directory, { recursive: true, force: true, maxRetries: 10 });

/** Starts the stack as with the real Wan, with the emulator in its place: keys and links are then secret. */
async function startSecretly(wan: Wan, wanKey: string): Promise<LocalStack> {
  const LOCAL_DIR = mkdtempSync(path.join(tmpdir(), 'firstframe-secrets-'));
  const addresses = { PORT: '0', AWS_PORT: '0', WAN_PORT: '0', LOCAL_DIR, WAN_BASE_URL: wan.url };
  const keys = { API_KEY: markers['API key of the deployment']!, DASHSCOPE_API_KEY: wanKey };
  return startLocal(readSettings({ ...addresses, ...keys }), {
    context: { monthlySpendingLimit: 'none', typicalSeconds: 1, imageTransfer: 'url' },
    max_concurrency: 2,
    on_call: keepCall,
  });
}

const aSecretRequest = (directive = '', input: object = {}) => ({
  model: 'wan2.5-i2v-preview',
  input: {
    prompt: `${directive} ${markers.prompt}`,
    negative_prompt: markers['negative prompt'],
    img_url: pngUrl(360, 360),
    ...input,
  },
  parameters: { resolution: '480P' },
  metadata: { name: markers.metadata },
});

let directory: string;
let wan: Wan;
let stack: LocalStack;
let api: Endpoint;
/** Every answer that is an error, as it came. */
const errors: string[] = [];

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'firstframe-secrets-wan-'));
  wan = await startWan({ port: 0, directory, taskSeconds: 1, limits: 'off' });
  stack = await startSecretly(wan, markers["Wan's key"]!);
  api = await onStack(stack, () => stack.close());
  markers['API key of an owner'] = api.api_key;
}, 120_000);
afterAll(async () => {
  await api?.close();
  await wan?.close();
  for (const each of [stack?.directory, directory]) if (each) remove(each)();
});

/** Asks and keeps the answer if it is an error. */
async function ask(route: string, init: RequestInit = {}, status?: number): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${api.api_key}`, 'content-type': 'application/json', ...init.headers };
  const response = await fetch(`${api.url}${route}`, { redirect: 'manual', ...init, headers });
  const text = await response.text();
  if (response.status >= 400) errors.push(text);
  if (status) expect(response.status, text).toBe(status);
  return text.startsWith('{') ? JSON.parse(text) : {};
}
const post = (route: string, body: unknown, status?: number, headers = {}) =>
  ask(route, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) }, status);

async function ended(body: object, status: string): Promise<string> {
  const { id } = await post('/videos', body, 202);
  const video = await api.finished(String(id));
  expect(video.status).toBe(status);
  // The error of a video is shown to its owner. It contains Wan's message, without the request.
  if (video.error) errors.push(JSON.stringify(video.error));
  return video.id;
}

/** Puts an object into the drop folder and waits for its video's end. */
async function dropped(
  name: string,
  Metadata: Record<string, string>,
  sidecar: unknown,
  status: string,
): Promise<void> {
  const Key = `drop/secrets/${name}`;
  const put = (Key: string, Body: Uint8Array | string) =>
    api.s3.send(new PutObjectCommand({ Bucket: api.uploads_bucket, Key, Body, Metadata }));
  await put(`${Key}.json`, typeof sidecar === 'string' ? sidecar : JSON.stringify(sidecar));
  await put(Key, png(480, 480));
  const headers = { authorization: `Bearer ${markers['API key of the deployment']}` };
  for (;;) {
    const { data } = (await ask('/videos?limit=50', { headers }, 200)) as {
      data: { status: string; source: { key: string } }[];
    };
    const video = data.find(({ source }) => source.key === Key);
    if (video && ['succeeded', 'failed'].includes(video.status)) return expect(video.status).toBe(status);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

const readLogs = (): string =>
  readdirSync(path.join(stack.directory, 'logs'))
    .map((file) => readFileSync(path.join(stack.directory, 'logs', file), 'utf8'))
    .join('\n');

describe('what is secret', { timeout: 180_000 }, () => {
  test('is in no log, execution, dead letter or error, however a video ends', async () => {
    // A signed address that Wan can read, and one that leads nowhere.
    const object = { Bucket: api.uploads_bucket, Key: 'e2e/secret.png' };
    await api.s3.send(new PutObjectCommand({ ...object, Body: png(480, 480) }));
    const address = await getSignedUrl(api.s3, new GetObjectCommand(object));
    markers['a signature that S3 made'] = new URL(address).searchParams.get('X-Amz-Signature')!;
    const nowhere = `${address.replace('secret.png', 'absent.png')}&sig=${markers['the signature of an image URL']}`;

    const bearer = (name: string) => ({ headers: { authorization: `Bearer ${markers[name]}` } });
    const videos = [
      ended(aSecretRequest(), 'succeeded'),
      ended(aSecretRequest('', { img_url: address }), 'succeeded'),
      ended(aSecretRequest('', { img_url: nowhere }), 'failed'),
      ended(aSecretRequest('[[fail=InternalError]]'), 'failed'),
      ended(aSecretRequest('[[http=400:DataInspectionFailed]]'), 'failed'),
      ended(aSecretRequest('[[http=429:Throttling.RateQuota*1]]'), 'succeeded'),
      ended(aSecretRequest('[[http=503:InternalError*1]]'), 'succeeded'),
      ended(aSecretRequest('[[reset]]'), 'succeeded'),
      ended(aSecretRequest('[[drop=1]]'), 'succeeded'),
      dropped(
        'cat.png',
        { note: markers.metadata! },
        { model: 'wan2.5-i2v-preview', input: { prompt: markers.prompt } },
        'succeeded',
      ),
      dropped('dog.png', {}, `{"input": {"prompt": "${markers['a sidecar that is not JSON']}`, 'failed'),
    ];
    const refusals = [
      ask('/videos', bearer('an unknown key'), 401),
      ask('/videos', bearer('a token'), 401),
      ask(`/videos/${markers.path}`, {}, 404),
      ask(`/videos?status=${markers.path}`, {}, 400),
      post('/videos', `{"input": {"prompt": "${markers['a body that is not JSON']}" "`, 400),
      post('/videos', { ...aSecretRequest(), model: markers.prompt }, 400),
      post('/videos', aSecretRequest('', { img_url: `http://10.0.0.1/?sig=${markers.prompt}` }), 400),
      post('/videos', aSecretRequest('', { img_url: `https://u:${markers.prompt}@example.com/` }), 400),
      post(
        '/api/v1/services/aigc/video-generation/video-synthesis',
        `{"prompt": "${markers['a body that is not JSON']}`,
        400,
        { 'x-dashscope-async': 'enable' },
      ),
      ask(`/api/v1/tasks/${markers.path}`, bearer('a token'), 401),
    ];
    await Promise.all([...videos, ...refusals]);

    // By Wan's own protocol, with an upload.
    const policy = (await ask('/api/v1/uploads?action=getPolicy&model=wan2.5-i2v-preview', {}, 200)).data as Record<
      string,
      string
    >;
    const uploadAddress = new URL(policy.upload_host!);
    markers['an upload token'] = uploadAddress.searchParams.get('upload_token')!;
    const form = new FormData();
    form.set('key', `${policy.upload_dir}/cat.png`);
    form.set('file', new Blob([new Uint8Array(png(480, 480))]), 'cat.png');
    expect((await fetch(uploadAddress, { method: 'POST', body: form })).status).toBe(200);
    expect((await fetch(uploadAddress, { method: 'POST', body: 'no form' })).status).toBe(400);
    const { output } = (await post(
      '/api/v1/services/aigc/video-generation/video-synthesis',
      aSecretRequest('', { img_url: `oss://${policy.upload_dir}/cat.png` }),
      200,
      { 'x-dashscope-async': 'enable', 'x-dashscope-ossresourceresolve': 'enable' },
    )) as { output: { task_id: string } };
    await api.finished(output.task_id);
    const task = (await ask(`/api/v1/tasks/${output.task_id}`, {}, 200)) as { output: { video_url: string } };
    const link = task.output.video_url;
    markers['the token of a link'] = link.slice(link.lastIndexOf('/') + 1).replace('.mp4', '');
    expect((await fetch(link)).status).toBe(200);
    expect((await fetch(`${link}x`)).status).toBe(403);

    // The links from which the functions downloaded the videos.
    const asWan = { headers: { authorization: `Bearer ${markers["Wan's key"]}` } };
    const list = (await (await fetch(`${wan.url}/tasks?page_size=100`, asWan)).json()) as {
      data: { task_id: string }[];
    };
    for (const [index, { task_id }] of list.data.entries()) {
      const task = (await (await fetch(`${wan.url}/tasks/${task_id}`, asWan)).json()) as {
        output: { video_url?: string };
      };
      const { video_url } = task.output;
      if (video_url)
        markers[`a signature of a video’s URL (${index})`] = new URL(video_url).searchParams.get('Signature')!;
    }
    expect(Object.keys(markers).filter((name) => name.includes('video’s URL')).length).toBeGreaterThan(6);
    for (const [name, secret] of Object.entries(markers)) expect(secret?.length, name).toBeGreaterThan(20);

    expect(scan(stack.directory, written, markers)).toEqual([]);
    expect(errors.length).toBeGreaterThan(12);
    expect(errors.flatMap((text) => findMarkers(text, markers))).toEqual([]);
    // There was something to be found in.
    expect(scan(stack.directory, ['dynamodb'], markers).map((found) => found.marker)).toContain(
      'a token of an execution',
    );
    expect(readLogs()).toContain('Created a video');
    expect(readLogs()).toContain('WanThrottled');
  });

  test('is in no response: no id and no URL of Wan', async () => {
    const asWan = { headers: { authorization: `Bearer ${markers["Wan's key"]}` } };
    const { data } = (await (await fetch(`${wan.url}/tasks?page_size=100`, asWan)).json()) as {
      data: { task_id: string }[];
    };
    const ofWan = Object.fromEntries(data.map(({ task_id }) => [`a task's id ${task_id}`, task_id]));
    expect(data.length).toBeGreaterThan(6);

    const answers: string[] = [];
    const get = async (route: string): Promise<string> => {
      const text = JSON.stringify(await ask(route, { headers: { accept: 'application/json' } }));
      answers.push(text);
      return text;
    };
    const list = JSON.parse(await get('/videos?limit=100')) as { data: { id: string; status: string }[] };
    await get('/api/v1/tasks?page_size=100');
    for (const { id, status } of list.data) {
      await get(`/videos/${id}`);
      await get(`/api/v1/tasks/${id}`);
      await get(`/videos/${id}/content?variant=metadata`).then(async (text) => {
        if (status === 'succeeded') answers.push(await (await fetch((JSON.parse(text) as { url: string }).url)).text());
      });
    }
    expect(answers.length).toBeGreaterThan(20);
    const tokens = { token: markers['a token of an execution']! };
    expect(
      answers.flatMap((text) => findMarkers(text, { ...ofWan, ...tokens, 'an address': new URL(wan.url).host })),
    ).toEqual([]);
  });

  test('does not appear when Wan refuses the key', async () => {
    const wanKey = `sk-invalid${marker('refused')}`;
    const refused = await startSecretly(wan, wanKey);
    onTestFinished(remove(refused.directory));
    const own = await onStack(refused, () => refused.close());
    try {
      const { body } = await own.post('/videos', aSecretRequest());
      await own.until(String(body.id), ({ status }) => status !== 'submitting');
      while (!scan(refused.directory, ['logs'], { refused: 'Returned the video to its queue' }).length)
        await new Promise((resolve) => setTimeout(resolve, 100));
      expect(scan(refused.directory, written, { ...markers, 'a key that Wan refuses': wanKey })).toEqual([]);
    } finally {
      await own.close();
    }
  });

  test('would be found: a prompt in a log, a key in an execution, a link in a dead letter', () => {
    const root = mkdtempSync(path.join(tmpdir(), 'firstframe-scan-'));
    onTestFinished(remove(root));
    const planted = { prompt: 'a "secret" prompt', key: marker('key'), link: marker('link') };
    const files = {
      'a.log': JSON.stringify({ level: 'INFO', prompt: planted.prompt }),
      'b.log': planted.key,
      'c.log': Buffer.from(`{"url":"${planted.link}"}`).toString('base64'),
    };
    for (const [name, text] of Object.entries(files)) appendFileSync(path.join(root, name), `${text}\n`);
    expect(
      scan(root, ['.'], { ...planted, absent: marker('absent') }).map(({ file, marker }) => `${file} ${marker}`),
    ).toEqual(['a.log prompt', 'b.log key', 'c.log link']);
    expect(findMarkers(JSON.stringify({ level: 'DEBUG', prompt: planted.key }), planted)).toEqual([]);
  });
});
