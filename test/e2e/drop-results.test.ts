import { randomUUID } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VideoView } from '../../functions/video/view.ts';
import type { LocalStack } from '../../local/stack.ts';
import { type Endpoint, openLocal } from '../support/endpoint.ts';
import { png } from '../support/png.ts';

/* Each function that ends a drop's video writes the drop result, with a role of its own. */

let api: Endpoint;
let stack: LocalStack;
let headers: Record<string, string>;
beforeAll(async () => {
  ({ endpoint: api, stack } = await openLocal());
  headers = { authorization: `Bearer ${api.drop_api_key}` };
});
afterAll(() => api?.close());

/** Drops an image and returns its video once the condition holds. */
async function dropped(prompt: string, condition: (video: VideoView) => boolean): Promise<VideoView> {
  const Key = `drop/results-${randomUUID()}/cat.png`;
  const Metadata = { prompt, model: 'wan2.5-i2v-preview', resolution: '480P' };
  await api.s3.send(new PutObjectCommand({ Bucket: api.uploads_bucket, Key, Body: png(480, 480), Metadata }));
  const { id } = await api.droppedFrom(Key);
  return until(id, condition);
}

async function until(id: string, condition: (video: VideoView) => boolean): Promise<VideoView> {
  for (;;) {
    const video = (await api.call(`/videos/${id}`, { headers })).body as unknown as VideoView;
    if (condition(video)) return video;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Waits until the drop result has the status. */
async function resultWithStatus({ source }: VideoView, status: string): Promise<void> {
  if (source.type !== 'drop') throw new Error('The video is not of a drop.');
  const result = { Bucket: api.uploads_bucket, Key: `${source.key}.result.json` };
  for (;;) {
    const text = await api.s3.send(new GetObjectCommand(result)).then(
      ({ Body }) => Body!.transformToString(),
      () => '{}',
    );
    if ((JSON.parse(text) as { status?: string }).status === status) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

const isRunning = ({ status }: VideoView) => status === 'running';

describe.concurrent('the drop result is written', { timeout: 180_000 }, () => {
  test('when the task fails', async () => {
    const video = await dropped('[[fail=InternalError]] A cat', ({ status }) => status === 'failed');
    await resultWithStatus(video, 'failed');
    const image = await api.call(`/videos/${video.id}/content?variant=first_frame`, {
      headers: { ...headers, accept: 'application/json' },
    });
    expect((await fetch(String(image.body.url))).status).toBe(200);
  });

  test('when its owner cancels the video', async () => {
    const video = await dropped('[[pending=60]] A cat', isRunning);
    const { status } = await api.call(`/videos/${video.id}/cancel`, { method: 'POST', headers });
    expect(status).toBe(200);
    await resultWithStatus(video, 'canceled');
  });

  test('when its owner cancels the video through the DashScope routes', async () => {
    const video = await dropped('[[pending=60]] A cat', isRunning);
    const { status } = await api.call(`/api/v1/tasks/${video.id}/cancel`, { method: 'POST', headers });
    expect(status).toBe(200);
    await resultWithStatus(video, 'canceled');
  });

  test('when its task is canceled at Wan', async () => {
    const video = await dropped('[[pending=8]] A cat that is canceled at Wan', isRunning);
    const asWan = { headers: { authorization: 'Bearer sk-local' } };
    const { data } = (await (await fetch(`${stack.wan_url}/tasks?page_size=100`, asWan)).json()) as {
      data: { task_id: string }[];
    };
    for (const { task_id } of data) {
      const { output } = (await (await fetch(`${stack.wan_url}/tasks/${task_id}`, asWan)).json()) as {
        output: { orig_prompt?: string };
      };
      if (output.orig_prompt?.includes('canceled at Wan'))
        await fetch(`${stack.wan_url}/tasks/${task_id}/cancel`, { ...asWan, method: 'POST' });
    }
    await resultWithStatus(await until(video.id, ({ status }) => status === 'canceled'), 'canceled');
  });
});

test('deletes exactly the version of an incomplete download', { timeout: 180_000 }, async () => {
  const { body } = await api.post('/videos', {
    model: 'wan2.5-i2v-preview',
    input: { prompt: '[[truncate]] A cat', img_url: `data:image/png;base64,${png(360, 360).toString('base64')}` },
    parameters: { resolution: '480P' },
  });
  await api.until(String(body.id), ({ status }) => status === 'archiving');
  const isDeletion = ({ action, resource }: (typeof stack.calls)[number]) =>
    action === 's3:DeleteObjectVersion' && resource.includes(String(body.id));
  while (!stack.calls.some(isDeletion)) await new Promise((resolve) => setTimeout(resolve, 250));
});
