import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import type { VideoView } from '../../functions/api/video-view.ts';
import { readSettings } from '../../local/settings.ts';
import { startLocal } from '../../local/stack.ts';

/** A running firstframe, wherever it is: what a client of it has. */
export interface Endpoint {
  url: string;
  api_key: string;
  s3: S3Client;
  uploads_bucket: string;
  call(route: string, init?: RequestInit): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }>;
  /** Asks until the video has ended. */
  finished(id: string): Promise<VideoView>;
  close(): Promise<void>;
}

/**
 * The deployment that `E2E_BASE_URL`, `E2E_API_KEY` and `E2E_UPLOADS_BUCKET` name (with AWS credentials from the environment), or a
 * local stack of its own that runs the same template.
 */
export async function openEndpoint(): Promise<Endpoint> {
  const { E2E_BASE_URL, E2E_API_KEY = '', E2E_UPLOADS_BUCKET = '' } = process.env;
  if (E2E_BASE_URL) {
    const s3 = new S3Client({});
    return endpoint(E2E_BASE_URL.replace(/\/$/, ''), E2E_API_KEY, s3, E2E_UPLOADS_BUCKET, async () => s3.destroy());
  }
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-e2e-'));
  const ports = { PORT: '0', WAN_PORT: '0', AWS_PORT: '0' };
  const stack = await startLocal(readSettings({ ...ports, LOCAL_DIR: directory, WAN_TASK_SECONDS: '1' }));
  const s3 = localS3(stack.aws_url);
  return endpoint(stack.api_url, 'local', s3, 'firstframe-uploads', async () => {
    s3.destroy();
    await stack.close();
    await rm(directory, { recursive: true, force: true });
  });
}

export const localS3 = (endpoint: string): S3Client =>
  new S3Client({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } });

export function endpoint(
  url: string,
  api_key: string,
  s3: S3Client,
  uploads_bucket: string,
  close: () => Promise<void>,
): Endpoint {
  const call: Endpoint['call'] = async (route, init = {}) => {
    const headers = { authorization: `Bearer ${api_key}`, 'content-type': 'application/json', ...init.headers };
    const response = await fetch(`${url}${route}`, { redirect: 'manual', ...init, headers });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
  };
  const finished: Endpoint['finished'] = async (id) => {
    for (;;) {
      const { status, body } = await call(`/videos/${id}`);
      if (status !== 200) throw new Error(`GET /videos/${id} answered ${status}.`);
      const video = body as unknown as VideoView;
      if (['succeeded', 'failed', 'canceled'].includes(video.status)) return video;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  return { url, api_key, s3, uploads_bucket, call, finished, close };
}
