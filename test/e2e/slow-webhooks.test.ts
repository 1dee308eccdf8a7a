import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Endpoint, onStack, sharedStack } from '../support/endpoint.ts';
import { pngUrl } from '../support/png.ts';

/* Deliveries to a receiver that failed last take a queue of their own, through functions under their own roles. */

interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  type: string;
}

const received: Received[] = [];
const failing = ['video.queued', 'video.submitting'];
/** How the receiver answers an event. */
const answer = ({ type }: Received): number => (failing.includes(type) ? 500 : 204);
let receiver: Server;
let api: Endpoint;
let url: string;

beforeAll(async () => {
  api = await onStack(await sharedStack(), async () => undefined);
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const event = { path: request.url!, headers: request.headers, body, type: JSON.parse(body).type };
      received.push(event);
      response.writeHead(answer(event)).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
});
afterAll(async () => {
  receiver?.close();
  await api?.close();
});

const of = (path: string) => received.filter((event) => event.path === path);
const waitFor = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 100 });
const request = { model: 'wan2.2-i2v-flash', input: { prompt: 'A cat', img_url: pngUrl(360, 360) } };

interface Listed {
  sequence: number;
  type: string;
  state: string;
}
const deliveriesOf = async (id: unknown) =>
  (await api.call(`/videos/${String(id)}/deliveries`)).body.data as unknown as Listed[];

test('a receiver that fails for the first events of a video gets the others without waiting for its retries', async () => {
  const put = await api.call('/webhook', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url: `${url}/owner`, events: 'all' }),
  });
  expect(put).toMatchObject({ status: 200, body: { events: 'all', state: 'active' } });
  const webhook = new Webhook(String(put.body.secret));
  // Fewer than the three failures that pause it.
  const { status, body: video } = await api.post('/videos', request);
  expect(status).toBe(202);
  const { timeline } = await api.finished(String(video.id));
  await waitFor(() => expect(of('/owner').map(({ type }) => type)).toContain('video.succeeded'));
  for (const { body, headers } of of('/owner')) webhook.verify(body, headers as Record<string, string>);
  await waitFor(async () => {
    const listed = await deliveriesOf(video.id);
    expect(listed.map(({ sequence, type }) => [sequence, type])).toEqual(
      timeline.map((entry, index) => [index + 1, `video.${entry.status}`]),
    );
    expect(listed.at(-1)).toMatchObject({ state: 'delivered' });
  });

  await api.call('/webhook', { method: 'DELETE' });
}, 240_000);
