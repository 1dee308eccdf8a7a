import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VideoView } from '../../functions/video/view.ts';
import { type Endpoint, openEndpoint } from '../support/endpoint.ts';
import { png } from '../support/png.ts';
import { aRequest } from '../support/requests.ts';

let api: Endpoint;
let succeeded: VideoView;
beforeAll(async () => {
  api = await openEndpoint();
  const { body } = await api.post('/videos', aRequest('A cat sleeps', { metadata: { order: '17' } }));
  succeeded = await api.finished(String(body.id));
});
afterAll(() => api?.close());

const link = async (variant: string): Promise<string> => {
  const { status, body } = await api.call(`/videos/${succeeded.id}/content?variant=${variant}`, {
    headers: { accept: 'application/json' },
  });
  expect(status).toBe(200);
  return String(body.url);
};

describe.concurrent('a video is read', () => {
  test('with estimated and actual cost', () => {
    expect(succeeded).toMatchObject({
      status: 'succeeded',
      metadata: { order: '17' },
      estimated_cost: { amount: 0.25, currency: 'USD', seconds: 5 },
      cost: { amount: 0.25, currency: 'USD', seconds: 5 },
    });
  });

  test('with 304 for its current ETag', async () => {
    const first = await api.call(`/videos/${succeeded.id}`);
    const etag = first.headers.get('etag')!;
    const again = await api.call(`/videos/${succeeded.id}`, { headers: { 'if-none-match': etag } });
    expect({ status: again.status, etag: again.headers.get('etag') }).toEqual({ status: 304, etag });
    const other = await api.call(`/videos/${succeeded.id}`, { headers: { 'if-none-match': '"another"' } });
    expect(other.status).toBe(200);
  });

  test('with a wait for its next status', async () => {
    const { body } = await api.post('/videos', aRequest('[[seconds=3]] A cat waits'));
    const seen = [String(body.status)];
    for (let video = body; !['succeeded', 'failed'].includes(String(video.status)); ) {
      const started = performance.now();
      video = (await api.call(`/videos/${body.id}?wait=20`)).body;
      // On a busy machine, the status may last longer than the wait.
      if (video.status !== seen.at(-1) || performance.now() - started < 20_000) seen.push(String(video.status));
    }
    expect(seen.at(-1)).toBe('succeeded');
    // Each wait ends with another status.
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('with progress that only grows', async () => {
    const { body } = await api.post('/videos', aRequest('[[seconds=4]] A cat stretches'));
    const progress: number[] = [];
    await api.until(String(body.id), (video) => {
      progress.push(video.progress);
      return video.status === 'succeeded';
    });
    expect(progress).toEqual([...progress].sort((one, other) => one - other));
    expect(progress.at(-1)).toBe(100);
  });

  test('in the response to its submission with Prefer: wait', async () => {
    const started = performance.now();
    const { status, headers, body } = await api.post('/videos', aRequest('A cat hurries'), { prefer: 'wait=25' });
    expect(headers.get('preference-applied')).toBe('wait');
    // On a busy machine, the video may take longer than the wait.
    const isOverdue = performance.now() - started >= 25_000;
    expect([[200, 'succeeded'], ...(isOverdue ? [[202, body.status]] : [])]).toContainEqual([status, body.status]);
  });
});

describe.concurrent('its content', () => {
  test('can be downloaded in ranges, so that an interrupted download can continue', async () => {
    const url = await link('video');
    const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
    const half = Math.floor(whole.length / 2);
    const first = await fetch(url, { headers: { range: `bytes=0-${half - 1}` } });
    const rest = await fetch(url, { headers: { range: `bytes=${half}-` } });
    expect([first.status, rest.status]).toEqual([206, 206]);
    const joined = Buffer.concat([Buffer.from(await first.arrayBuffer()), Buffer.from(await rest.arrayBuffer())]);
    expect(createHash('sha256').update(joined).digest('hex')).toBe(succeeded.video!.sha256);
  });

  test('includes its first frame', async () => {
    const response = await fetch(await link('first_frame'));
    expect(Buffer.from(await response.arrayBuffer())).toEqual(png(360, 360));
  });

  test('includes its metadata as in the API', async () => {
    const metadata = (await (await fetch(await link('metadata'))).json()) as VideoView;
    expect(metadata).toMatchObject({
      id: succeeded.id,
      status: 'succeeded',
      video: succeeded.video,
      cost: succeeded.cost,
    });
    expect(JSON.stringify(metadata)).not.toContain('spending_month');
  });
});

describe('the list', () => {
  test('returns each video once while others are added', async () => {
    const ids: string[] = [];
    let cursor: unknown;
    do {
      const { body } = await api.call(`/videos?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      ids.push(...(body.data as VideoView[]).map(({ id }) => id));
      cursor = body.next_cursor;
      await api.post('/videos', aRequest('[[fail=InternalError]] One more'));
    } while (cursor);
    expect(ids).toContain(succeeded.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('is filtered by status and model', async () => {
    const { body } = await api.call(`/videos?status=succeeded&model=wan2.5-i2v-preview&limit=100`);
    const videos = body.data as VideoView[];
    expect(videos.map(({ id }) => id)).toContain(succeeded.id);
    expect(videos.every(({ status, model }) => status === 'succeeded' && model === 'wan2.5-i2v-preview')).toBe(true);
  });
});

describe.concurrent('other routes', () => {
  test('an estimate returns the price of a request without making a video', async () => {
    const prompt = `An estimate ${'x'.repeat(2000)}`;
    const { status, body } = await api.post('/estimates', aRequest(prompt));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      model: 'wan2.5-i2v-preview',
      estimated_cost: { amount: 0.25, unit_price: 0.05 },
      warnings: [{ pointer: '/input/prompt' }],
    });
    expect(body.estimated_seconds).toBeGreaterThan(0);
    const { body: list } = await api.call('/videos?limit=100');
    expect((list.data as VideoView[]).filter(({ input }) => input.prompt === prompt)).toEqual([]);
  });

  test('the models have prices and limits', async () => {
    const { status, body } = await api.call('/models');
    expect(status).toBe(200);
    expect(body.data).toContainEqual(
      expect.objectContaining({
        name: 'wan2.1-i2v-turbo',
        durations: [3, 4, 5],
        prices: { '480P': 0.036, '720P': 0.036 },
      }),
    );
  });

  test('usage counts spending by model, and reserves the cost of open videos', async () => {
    const { body: before } = await api.call('/usage');
    const { body: open } = await api.post('/videos', aRequest('[[pending=3600]] A cat counts'));
    await api.until(String(open.id), ({ status }) => status === 'running');
    const { body: during } = await api.call('/usage');
    expect(Number(during.reserved)).toBeGreaterThanOrEqual(0.25);
    expect((await api.post(`/videos/${open.id}/cancel`)).status).toBe(200);
    const { body: made } = await api.post('/videos', aRequest('A cat is counted'));
    await api.finished(String(made.id));
    const { body: after } = await api.call('/usage');
    expect(Number(after.spent)).toBeGreaterThanOrEqual(Number(before.spent) + 0.25 - 1e-9);
    expect(after).toMatchObject({ currency: 'USD', month: new Date().toISOString().slice(0, 7) });
    expect(after.models).toContainEqual(expect.objectContaining({ model: 'wan2.5-i2v-preview' }));
  });

  test('the contract and its page need no key', async () => {
    const contract = await fetch(`${api.url}/openapi.json`);
    expect(await contract.json()).toMatchObject({ openapi: expect.stringMatching(/^3\.1/), paths: { '/videos': {} } });
    const page = await fetch(`${api.url}/docs`);
    expect({ status: page.status, type: page.headers.get('content-type') }).toEqual({
      status: 200,
      type: 'text/html; charset=utf-8',
    });
  });
});
