import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { redeliver } from '../../../functions/events/deliveries.ts';
import { newSecretVersion, putSubscription } from '../../../functions/events/subscriptions.ts';
import { sendWebhook } from '../../../functions/events/webhook-request.ts';
import { webhookSecret } from '../../../functions/events/webhook-secret.ts';
import { aWebhookStage, HOUR, MINUTE, master } from './support.ts';

// A receiver as docs/webhooks.md describes it: a server that verifies with the published library.

let stage: ReturnType<typeof aWebhookStage>;
let server: Server | undefined;
let port: number;
/** The secret that the receiver knows. */
let secret: string;
let events: { type: string; data: { id: string; sequence: number } }[];
let refused: string[];
beforeEach(async () => {
  stage = aWebhookStage();
  stage.behavior.send = sendWebhook;
  [events, refused] = [[], []];
  secret = webhookSecret(master, 'alice', 1);
  await up();
});
afterEach(down);

async function up(): Promise<void> {
  server = createServer(async (request, response) => {
    const body = await text(request);
    // The library compares the time of the event with the time of this process.
    const clock = vi.spyOn(Date, 'now').mockReturnValue(stage.clock.now);
    try {
      events.push(new Webhook(secret).verify(body, request.headers as Record<string, string>) as (typeof events)[0]);
      response.writeHead(204).end();
    } catch (error) {
      refused.push((error as Error).message);
      response.writeHead(400).end();
    } finally {
      clock.mockRestore();
    }
  });
  await new Promise<void>((resolve) => server!.listen(port ?? 0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
}

async function down(): Promise<void> {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
}

const own = () => ({ webhook: { url: `http://127.0.0.1:${port}/hook`, events: 'endings' as const } });
const ids = () => events.map(({ data }) => data.id);

test('verifies each event with the published library, whatever the metadata contain', async () => {
  const metadata = { name: 'Žluťoučký 猫 🐈', quotes: '"\\/\u2028</script>' };
  const video = await stage.video({ ...own(), metadata }, 'submitting', 'failed');
  await stage.drain();
  expect(refused).toEqual([]);
  expect(events).toMatchObject([{ type: 'video.failed', data: { id: video.id, sequence: 3, metadata } }]);
});

test('verifies as the guide shows', async () => {
  const guide = await readFile(path.resolve('docs/webhooks.md'), 'utf8');
  const [, code] = /^```js\n([\s\S]*?)^```/m.exec(guide)!;
  const listening = ".listen(0, '127.0.0.1', function () { console.log(this.address().port); })";
  const guided = spawn(process.execPath, ['--input-type=module'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, WEBHOOK_SECRET: secret },
  });
  try {
    guided.stdin.end(code!.replace('.listen(8080)', listening));
    const lines = createInterface(guided.stdout)[Symbol.asyncIterator]();
    const url = `http://127.0.0.1:${(await lines.next()).value}/hook`;
    // That process has the time of today.
    stage.clock.now = Date.now();
    const video = await stage.video({ webhook: { url, events: 'endings' } }, 'failed');
    const other = await stage.video({ webhook: { url, events: 'endings' }, owner: 'bob' }, 'failed');
    await stage.drain();
    expect((await lines.next()).value).toBe(`video.failed ${video.id}`);
    expect(await stage.delivery(video)).toMatchObject({ state: 'delivered', last_attempts: [{ status: 204 }] });
    expect(await stage.delivery(other)).toMatchObject({ state: 'pending', last_attempts: [{ status: 400 }] });
  } finally {
    guided.kill();
  }
});

test('gets each event once after it was down for an hour', async () => {
  await down();
  const videos = await Promise.all(Array.from({ length: 12 }, () => stage.video(own(), 'failed')));
  await stage.drain();
  await stage.pass(HOUR);
  expect(await stage.receiver(`http://127.0.0.1:${port}`)).toMatchObject({ pause_seconds: 900 });
  const attempts = stage.posts.length;
  // 10 of the first batch, and a probe after each pause.
  expect(attempts).toBeLessThan(30);
  await up();
  await stage.pass(2 * HOUR);
  expect(ids().toSorted()).toEqual(videos.map(({ id }) => id).toSorted());
  expect(refused).toEqual([]);
  for (const video of videos) expect(await stage.delivery(video)).toMatchObject({ state: 'delivered' });
  const { last_attempts } = (await stage.delivery(videos[0]!))!;
  expect(last_attempts[0]).toMatchObject({ error: 'The receiver refused the connection.' });
  await stage.pass(24 * HOUR);
  expect(events).toHaveLength(12);
  expect(stage.metrics).toEqual([]);
});

test('gets an event again that is redelivered, with the same id and a new signature', async () => {
  const video = await stage.video(own(), 'failed');
  await stage.drain();
  // The library refuses a signature of more than 5 minutes ago.
  stage.clock.now += HOUR;
  await redeliver(stage.table, video.id, 2);
  await stage.pass(10 * MINUTE);
  expect(ids()).toEqual([video.id, video.id]);
  expect(refused).toEqual([]);
});

test('verifies during a rotation with the old and with the new secret, and a day later only with the new one', async () => {
  await putSubscription(stage.table, 'alice', { url: own().webhook.url, events: 'endings' });
  const deliver = async () => {
    const video = await stage.video({ webhook: undefined } as never, 'failed');
    await stage.drain();
    return (await stage.delivery(video))!.state;
  };
  expect(await newSecretVersion(stage.table, 'alice')).toBe(1);
  expect(await deliver()).toBe('delivered');
  expect(await newSecretVersion(stage.table, 'alice')).toBe(2);
  expect(await deliver()).toBe('delivered');
  const [previous, current] = [secret, webhookSecret(master, 'alice', 2)];
  secret = current;
  expect(await deliver()).toBe('delivered');
  stage.clock.now += 24 * HOUR;
  expect(await deliver()).toBe('delivered');
  secret = previous;
  expect(await deliver()).toBe('pending');
  expect(refused).toEqual(['No matching signature found']);
});

test('refuses what another owner or anyone else sends', async () => {
  const video = await stage.video({ ...own(), owner: 'bob' }, 'failed');
  await stage.drain();
  expect(events).toEqual([]);
  expect(await stage.delivery(video)).toMatchObject({ state: 'pending', last_attempts: [{ status: 400 }] });
});
