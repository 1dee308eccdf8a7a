import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import type { VideoView } from '../../functions/video/view.ts';
import type { FaultInjection } from '../../local/aws/fault-injection.ts';
import { seedApiKey } from '../../local/aws/seed-api-key.ts';
import { readSettings } from '../../local/settings.ts';
import { type LocalStack, startLocal } from '../../local/stack.ts';
import { keepCall } from './aws-calls.ts';

/** An answer, its body read as JSON; `{}` where there is none. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** A running firstframe, wherever it is: what a client of it has. */
export interface Endpoint {
  url: string;
  api_key: string;
  /** Of another owner. */
  other_api_key: string;
  /** Of the owner whose videos drops become. */
  drop_api_key: string;
  s3: S3Client;
  uploads_bucket: string;
  /** With the key, unless the headers say otherwise. */
  call(route: string, init?: RequestInit): Promise<Answer>;
  /** `POST` of a body as JSON; a string goes as it is. */
  post(route: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Asks until the video is as the condition says, then gives it. */
  until(id: string, condition: (video: VideoView) => boolean): Promise<VideoView>;
  /** Asks until the video has ended. */
  finished(id: string): Promise<VideoView>;
  /** The video that a dropped object became, once it shows in the list of drops. */
  droppedFrom(key: string): Promise<VideoView>;
  close(): Promise<void>;
}

/**
 * The deployment that `E2E_BASE_URL`, `E2E_API_KEY` (of the owner of drops), `E2E_OTHER_API_KEY` (of another) and `E2E_UPLOADS_BUCKET`
 * name, with AWS credentials from the environment; or two owners of their own on a local stack that runs the same template. Wan is the
 * emulator: prompts direct it.
 * @throws Error for a deployment that is only named in part
 */
export async function openEndpoint(): Promise<Endpoint> {
  const { E2E_BASE_URL } = process.env;
  return E2E_BASE_URL ? deployed(E2E_BASE_URL) : onStack(await sharedStack(), async () => undefined);
}

function deployed(url: string): Endpoint {
  const named = (name: string): string => {
    const value = process.env[name];
    if (value) return value;
    throw new Error(`Set ${name}: the tests against ${url} need it.`);
  };
  const s3 = new S3Client({});
  return endpoint({
    url: url.replace(/\/$/, ''),
    api_key: named('E2E_API_KEY'),
    other_api_key: named('E2E_OTHER_API_KEY'),
    drop_api_key: named('E2E_API_KEY'),
    s3,
    uploads_bucket: named('E2E_UPLOADS_BUCKET'),
    close: async () => s3.destroy(),
  });
}

let shared: Promise<LocalStack> | undefined;

/**
 * One stack for all tests of this process, since starting one takes more than most tests do. It turns nobody away, and ends with the
 * process.
 */
export const sharedStack = (): Promise<LocalStack> => {
  shared ??= startStack({ apiThrottle: { rate: 10_000, burst: 5000 } });
  return shared;
};

async function startStack(context: Record<string, unknown>, faults: FaultInjection = {}): Promise<LocalStack> {
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-e2e-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const ports = { PORT: '0', WAN_PORT: '0', AWS_PORT: '0' };
  return startLocal(readSettings({ ...ports, LOCAL_DIR: directory, WAN_TASK_SECONDS: '1' }), {
    context,
    faults,
    // A worker costs a fifth of a second of both cores that tests usually have.
    max_concurrency: 4,
    on_call: keepCall,
  });
}

/** A stack of its own with other settings, for what can't be tried on one that others use: Wan out of order, a full budget. */
export async function openLocal(
  context: Record<string, unknown> = {},
  faults: FaultInjection = {},
): Promise<{ endpoint: Endpoint; stack: LocalStack }> {
  const stack = await startStack(context, faults);
  return { stack, endpoint: await onStack(stack, () => stack.close()) };
}

/** Two owners whom nobody else knows, on a stack. */
export async function onStack(stack: LocalStack, close: () => Promise<void>): Promise<Endpoint> {
  const table = stack.runtime.stack.all('AWS::DynamoDB::Table')[0]!.name;
  const newKey = async (): Promise<string> => {
    const key = randomUUID();
    await seedApiKey(stack.runtime.dynamoDb, { table, key, owner: `owner-${key}`, now: Date.now() });
    return key;
  };
  const s3 = localS3(stack.aws_url);
  return endpoint({
    url: stack.api_url,
    api_key: await newKey(),
    other_api_key: await newKey(),
    drop_api_key: 'local',
    s3,
    uploads_bucket: 'firstframe-uploads',
    close: async () => {
      s3.destroy();
      await close();
    },
  });
}

export const localS3 = (endpoint: string): S3Client =>
  new S3Client({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } });

export function endpoint(given: Omit<Endpoint, 'call' | 'post' | 'until' | 'finished' | 'droppedFrom'>): Endpoint {
  const call: Endpoint['call'] = async (route, init = {}) => {
    const headers = { authorization: `Bearer ${given.api_key}`, 'content-type': 'application/json', ...init.headers };
    const response = await fetch(`${given.url}${route}`, { redirect: 'manual', ...init, headers });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : {} };
  };
  const until: Endpoint['until'] = async (id, condition) => {
    for (;;) {
      const { status, body } = await call(`/videos/${id}`);
      // Many who ask at once are told to come again, as every client is.
      if (status !== 200 && status !== 429) throw new Error(`GET /videos/${id} answered ${status}.`);
      const video = body as unknown as VideoView;
      if (status === 200 && condition(video)) return video;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };
  return {
    ...given,
    call,
    until,
    post: (route, body, headers = {}) =>
      call(route, {
        method: 'POST',
        headers,
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    finished: (id) => until(id, ({ status }) => ['succeeded', 'failed', 'canceled'].includes(status)),
    async droppedFrom(key) {
      for (;;) {
        const headers = { authorization: `Bearer ${given.drop_api_key}` };
        const { body } = await call('/videos?limit=50', { headers });
        const found = (body.data as VideoView[]).find(({ source }) => source.type === 'drop' && source.key === key);
        if (found) return found;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    },
  };
}
