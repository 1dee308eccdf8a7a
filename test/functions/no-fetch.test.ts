import dns from 'node:dns';
import { readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { claimPermit } from '../../functions/queue/model-queue.ts';
import { changeStatus, createVideo } from '../../functions/video/store.ts';
import { createTask } from '../../functions/workflow/create-task.ts';
import { startTable } from '../support/table.ts';
import { aVideo, firstFrame } from '../support/videos.ts';
import { anApi, body } from './api/support.ts';
import { aDropFolder, imageBytes } from './drops/support.ts';
import { scriptedWan, servicesFor } from './workflow/support.ts';

/*
 * A name may resolve to a private address, or to different addresses over time, which no check of the text detects. So firstframe
 * never looks up or fetches media that a caller names. Wan does, in its own network. Webhooks have tests of their own.
 */

const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
const store = startTable(() => clock.now);

/** Attempts to leave this process; there must not be any. */
let reached: string[];
beforeEach(() => {
  reached = [];
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (address) => {
    reached.push(`fetch ${String(address)}`);
    throw new TypeError('fetch failed');
  });
  vi.spyOn(dns, 'lookup').mockImplementation(((host: string) => void reached.push(`lookup ${host}`)) as never);
  for (const name of ['lookup', 'resolve4', 'resolve6'] as const)
    vi.spyOn(dns.promises, name).mockImplementation((async (host: string) => {
      reached.push(`lookup ${host}`);
      throw new Error('no names here');
    }) as never);
  vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...to: unknown[]) {
    reached.push(`connect ${JSON.stringify(to)}`);
    return this;
  } as never);
});
afterEach(() => void vi.restoreAllMocks());

/** Names of public services that resolve to private addresses. */
const names = [
  'https://localtest.me/cat.png',
  'https://169-254-169-254.sslip.io/cat.png',
  'https://rebind.example/a.png',
];
const wan26 = { model: 'wan2.6-i2v', parameters: { resolution: '720P' } };

describe.each(names)('%s', (address) => {
  test('is neither looked up nor fetched when a video is requested', async () => {
    const input = { prompt: 'A cat runs', img_url: address, audio_url: address.replace('.png', '.mp3') };
    const answer = await anApi(store.table).submit({ body: body({ ...wan26, input }) });
    const media = [{ url: input.img_url }, { url: input.audio_url }];
    expect(answer).toMatchObject({ status: 202, body: { input: { media } } });
    expect(reached).toEqual([]);
  });

  test('is passed to Wan unchanged, without a fetch, when its task is created', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const limits = { model: 'wan2.2-i2v-plus', permits: 1000, submit_interval_ms: 0 };
    const video = aVideo({ input: { prompt: 'A cat runs', media: firstFrame(address) } }, clock.now);
    await createVideo(store.table, video);
    await claimPermit(store.table, limits, video);
    const submitting = await changeStatus(store.table, video, 'submitting', { set: { run: 1 } });
    const resolveMediaUrls = async () => firstFrame(address);
    await createTask(servicesFor(store.table, clock, wan, { resolveMediaUrls }), {
      id: video.id,
      run: submitting!.run,
    });
    expect(tasks).toMatchObject([{ img_url: address }]);
    expect(reached).toEqual([]);
  });

  test("in a drop's settings is rejected or passed on, and never fetched", async () => {
    const folder = aDropFolder(store.table);
    folder.put('drop/cat.png.json', {
      ...wan26,
      input: { prompt: 'A cat runs', audio_url: address.replace('.png', '.mp3') },
    });
    await folder.taken('drop/cat.png', imageBytes);
    folder.put('drop/dog.png.json', { input: { prompt: 'A dog runs', img_url: address } });
    expect(await folder.taken('drop/dog.png', imageBytes)).toMatchObject({ status: 'failed' });
    expect(reached).toEqual([]);
  });
});

test('the guard detects fetches, connections and lookups', async () => {
  await fetch('https://example.com/').catch(() => undefined);
  new Socket().connect(80, '10.0.0.1');
  dns.lookup('example.com', () => undefined);
  await dns.promises.resolve4('example.org').catch(() => undefined);
  expect(reached).toEqual([
    'fetch https://example.com/',
    'connect [80,"10.0.0.1"]',
    'lookup example.com',
    'lookup example.org',
  ]);
});

describe('network access', () => {
  const root = path.resolve(import.meta.dirname, '../../functions');
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));

  test('is limited to Wan’s client, the download of its videos, and the keys of a token issuer', () => {
    const code = (text: string) => text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$|'[^'\n]*'|`[^`]*`/gm, '');
    const mentions = sources.filter(({ text }) => /\bfetch\b/.test(code(text))).map(({ file }) => file);
    const may = /^(wan|media)\/|^entries\/|^api\/auth\/jwt\.ts$|^workflow\/verify-video\.ts$/;
    expect(mentions).toEqual(expect.arrayContaining(['wan/client/http.ts', 'media/download.ts', 'api/auth/jwt.ts']));
    expect(mentions.filter((file) => !may.test(file))).toEqual([]);
  });

  test('uses Node’s modules for connections and name resolution only to send webhooks', () => {
    const imports = /from '(?:node:)?(https?|http2|net|tls|dns|dgram|undici)(?:\/[a-z]+)?'/;
    // The first sends webhooks, and checks the address that it connects to. The second only parses numeric addresses.
    expect(sources.filter(({ text }) => imports.test(text)).map(({ file }) => file)).toEqual([
      'events/webhook-request.ts',
      'wan/validation/public-url.ts',
    ]);
  });
});
