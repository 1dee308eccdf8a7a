import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { VideoView } from '../../functions/video/view.ts';
import { type Endpoint, openLocal } from '../support/endpoint.ts';
import { png, pngUrl } from '../support/png.ts';

/** A new account's concurrent executions in a region. */
const accountConcurrency = 10;

let api: Endpoint;
const throttled: string[] = [];
beforeAll(async () => {
  ({ endpoint: api } = await openLocal(
    { apiThrottle: { rate: 10_000, burst: 5000 } },
    { accountConcurrency, onThrottle: (name) => throttled.push(name) },
  ));
}, 120_000);
afterAll(() => api?.close());

test('an account with 10 concurrent executions makes every video, of the API and of drops that wait for sidecars', async () => {
  const model = 'wan2.2-i2v-flash';
  const names = Array.from({ length: 4 }, (_, index) => `small-${index}.png`);
  const dropped = names.map((name) =>
    api.s3.send(new PutObjectCommand({ Bucket: api.uploads_bucket, Key: `drop/${name}`, Body: png(640, 480) })),
  );
  /** Repeats a throttled request, as its response asks for. */
  const request = async (index: number): Promise<string> => {
    const body = { model, input: { prompt: `Wave ${index}`, img_url: pngUrl(640, 480) } };
    for (;;) {
      const { status, body: answer } = await api.post('/videos', body, { 'idempotency-key': `wave-${index}` });
      if (status === 202 || status === 200) return String(answer.id);
      // 502 when the function was throttled, 500 when the authorizer was; 504 on a busy machine.
      expect(status).toBeGreaterThanOrEqual(500);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };
  const ids = await Promise.all(Array.from({ length: 14 }, (_, index) => request(index)));
  await Promise.all(dropped);
  expect(new Set(ids).size).toBe(14);
  expect(throttled.length).toBeGreaterThan(0);

  const list = async (key: string): Promise<VideoView[]> => {
    const { status, body } = await api.call('/videos?limit=100', { headers: { authorization: `Bearer ${key}` } });
    return status === 200 ? (body.data as VideoView[]) : [];
  };
  const succeeded = (videos: VideoView[]) => videos.filter(({ status }) => status === 'succeeded').length;
  for (;;) {
    const [own, drops] = [await list(api.api_key), await list(api.drop_api_key)];
    for (const { status, error } of [...own, ...drops])
      expect([status, error]).not.toEqual(['failed', expect.anything()]);
    if (succeeded(own) === 14 && succeeded(drops) === 4) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}, 400_000);
