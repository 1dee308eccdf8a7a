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

/** A response with its body parsed as JSON; `{}` without a body. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** A running firstframe, local or deployed, as a client uses it. */
export interface Endpoint {
  url: string;
  api_key: string;
  /** API key of another owner. */
  other_api_key: string;
  /** Requests as the owner of drops. */
  drop_api_key: string;
  s3: S3Client;
  uploads_bucket: string;
  /** Sends a request with the API key, unless the headers contain another one. */
  call(route: string, init?: RequestInit): Promise<Answer>;
  /** Sends a `POST` with a JSON body; a string is sent unchanged. */
  post(route: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Polls a video until the condition holds. */
  until(id: string, condition: (video: VideoView) => boolean): Promise<VideoView>;
  /** Polls a video until it has ended. */
  finished(id: string): Promise<VideoView>;
  /** Polls the list until it contains the video of a dropped object. */
  droppedFrom(key: string): Promise<VideoView>;
  close(): Promise<void>;
}

/**
 * Returns the deployment in `E2E_BASE_URL`, `E2E_API_KEY` (owner of drops), `E2E_OTHER_API_KEY` (another owner) and
 * `E2E_UPLOADS_BUCKET`, with AWS credentials from the environment; by default, two new owners on a local stack of the same template.
 * Both use the Wan emulator, which prompts direct.
 * @throws Error when only some of the variables are set
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
 * Starts one stack for all tests of this process, because the start takes longer than most tests. It does not throttle, and ends with
 * the process.
 */
export const sharedStack = (): Promise<LocalStack> => {
  shared ??= startStack({ apiThrottle: { rate: 10_000, burst: 5000 }, ownerThrottle: { rate: 1000, burst: 5000 } });
  return shared;
};

async function startStack(context: Record<string, unknown>, faults: FaultInjection = {}): Promise<LocalStack> {
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-e2e-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const ports = { PORT: '0', WAN_PORT: '0', AWS_PORT: '0' };
  return startLocal(readSettings({ ...ports, LOCAL_DIR: directory, WAN_TASK_SECONDS: '1' }), {
    context,
    faults,
    // Starting a worker takes a fifth of a second on the two cores that tests usually have.
    max_concurrency: 4,
    on_call: keepCall,
  });
}

/** Starts a separate stack with other settings, for tests that would disturb others: Wan unavailable, spending limit reached. */
export async function openLocal(
  context: Record<string, unknown> = {},
  faults: FaultInjection = {},
): Promise<{ endpoint: Endpoint; stack: LocalStack }> {
  const stack = await startStack(context, faults);
  return { stack, endpoint: await onStack(stack, () => stack.close()) };
}

/** Creates two new owners on a stack. */
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
      // Concurrent polls may be throttled, like those of any client.
      if (status !== 200 && status !== 429) throw new Error(`GET /videos/${id} responded with ${status}.`);
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
