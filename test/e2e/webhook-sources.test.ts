import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Endpoint, onStack, sharedStack } from '../support/endpoint.ts';
import { png } from '../support/png.ts';
import { aRequest } from '../support/requests.ts';

// Webhooks of a request, an owner and a drop folder, with a receiver that verifies. Always local: only that may call this computer.

interface Received {
  /** The path that was called. */
  path: string;
  headers: Record<string, string>;
  body: string;
  event: { type: string; data: { id: string; sequence: number; status: string; owner: string } };
}

let api: Endpoint;
let receiver: Server;
let origin: string;
const received: Received[] = [];
const asDrops = () => ({ authorization: `Bearer ${api.drop_api_key}` });

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    const body = await text(request);
    const headers = request.headers as Record<string, string>;
    received.push({ path: request.url!, headers, body, event: JSON.parse(body) });
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => receiver.once('listening', resolve));
  origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  api = await onStack(await sharedStack(), async () => undefined);
});
afterAll(async () => {
  receiver?.close();
  await api?.close();
});

/** Waits until a path was called a number of times. */
async function calls(path: string, count = 1): Promise<Received[]> {
  for (;;) {
    const found = received.filter((each) => each.path === path);
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
/** Verifies with the published library. */
const verifies = (secret: unknown, { body, headers }: Received): boolean => {
  try {
    return new Webhook(String(secret)).verify(body, headers) !== undefined;
  } catch {
    return false;
  }
};
const newSecret = async () => (await api.post('/webhook/secret')).body.secret;
const deliveriesOf = async (id: string) =>
  (await api.call(`/videos/${id}/deliveries`)).body.data as { state: string }[];
const putWebhook = (path: string, given: object = {}) =>
  api.call('/webhook', { method: 'PUT', body: JSON.stringify({ url: origin + path, ...given }) });

describe('a webhook', { timeout: 240_000 }, () => {
  test('of a request gets the ending of its video, signed, and is shown by its host', async () => {
    const secret = await newSecret();
    const path = `/request-${randomUUID()}`;
    const { status, body: video } = await api.post('/videos', aRequest('A cat', { webhook_url: origin + path }));
    expect(status).toBe(202);
    const { host } = new URL(origin);
    expect(video.webhook).toEqual({ host, events: 'endings' });
    const [call] = await calls(path);
    expect(call!.event).toMatchObject({ type: 'video.succeeded', data: { id: video.id, status: 'succeeded' } });
    expect(call!.headers['user-agent']).toMatch(/^firstframe\/\d/);
    expect(verifies(secret, call!)).toBe(true);
    expect(verifies(`whsec_${Buffer.alloc(32).toString('base64')}`, call!)).toBe(false);
    const { body } = await api.call(`/videos/${video.id}/deliveries`);
    expect(body.data).toMatchObject([{ type: 'video.succeeded', host, sequence: call!.event.data.sequence }]);
    const shown = await Promise.all(['', '?limit=100'].map((query) => api.call(`/videos${query || `/${video.id}`}`)));
    expect(JSON.stringify([shown, body])).not.toContain(path);
  });

  test('of an owner gets every event, is called again on request, and nothing once it is deleted', async () => {
    const path = `/owner-${randomUUID()}`;
    expect((await putWebhook(path, { events: 'all' })).status).toBe(200);
    expect((await api.post('/webhook/test')).body).toMatchObject({ delivered: true, status: 204 });
    expect((await calls(path))[0]!.event.type).toBe('webhook.test');

    const first = await api.post('/videos', aRequest('[[fail=InternalError]] A cat'));
    const id = String(first.body.id);
    await api.finished(id);
    const ofVideo = async (type: string) => {
      for (;;) {
        const found = received.filter(({ event }) => event.data.id === id && event.type === type);
        if (found.length > 0) return found;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const [failed] = await ofVideo('video.failed');
    const { sequence } = failed!.event.data;

    const { status } = await api.post(`/videos/${id}/deliveries/${sequence}/redeliver`);
    expect(status).toBe(202);
    for (let same = 1; same < 2; ) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const found = received.filter(({ headers }) => headers['webhook-id'] === failed!.headers['webhook-id']);
      same = found.length;
      if (same >= 2) expect(found[1]!.body).toBe(failed!.body);
    }

    expect((await api.call('/webhook', { method: 'DELETE' })).status).toBe(204);
    const { body } = await api.post('/videos', aRequest('[[fail=InternalError]] A dog'));
    await api.finished(String(body.id));
    expect(await deliveriesOf(String(body.id))).toEqual([]);
    expect(received.filter(({ event }) => event.data.id === body.id)).toEqual([]);
    expect(await api.post(`/videos/${id}/deliveries/${sequence}/redeliver`)).toMatchObject({
      status: 409,
      body: { code: 'no_webhook' },
    });
  });

  test('is signed with both secrets after a rotation', async () => {
    const path = `/rotation-${randomUUID()}`;
    await putWebhook(path);
    const secrets = [await newSecret(), await newSecret()];
    await api.post('/webhook/test');
    const [call] = await calls(path);
    expect(secrets.map((secret) => verifies(secret, call!))).toEqual([true, true]);
    await newSecret();
    await api.post('/webhook/test');
    const [, later] = await calls(path, 2);
    expect(secrets.map((secret) => verifies(secret, later!))).toEqual([false, true]);
    await api.call('/webhook', { method: 'DELETE' });
  });

  test('of a drop folder gets the endings of its images', async () => {
    const [folder, path] = [`drop/hooks-${randomUUID()}`, `/drop-${randomUUID()}`];
    const put = (name: string, Body: Buffer | string) =>
      api.s3.send(new PutObjectCommand({ Bucket: api.uploads_bucket, Key: `${folder}/${name}`, Body }));
    const settings = { model: 'wan2.5-i2v-preview', parameters: { resolution: '480P' }, webhook_url: origin + path };
    await put('_defaults.json', JSON.stringify(settings));
    await put('cat.png.json', JSON.stringify({ input: { prompt: 'A cat' } }));
    await put('cat.png', Buffer.from(png(480, 480)));
    const { id } = await api.droppedFrom(`${folder}/cat.png`);
    const [call] = await calls(path);
    expect(call!.event).toMatchObject({ type: 'video.succeeded', data: { id } });
    const { body } = await api.call(`/videos/${id}/deliveries`, { headers: asDrops() });
    expect(body.data).toHaveLength(1);
    expect(await api.call(`/videos/${id}/deliveries`)).toMatchObject({ status: 404 });
  });
});
