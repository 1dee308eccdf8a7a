import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, expect, test } from 'vitest';
import type { VideoView } from '../../functions/video/view.ts';
import { type Endpoint, endpoint, localS3 } from '../support/endpoint.ts';
import { type LocalProcess, startProcess } from '../support/local-process.ts';
import { png, pngUrl } from '../support/png.ts';
import { seededRandom } from '../support/seeded-random.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-kill-'));
let running: LocalProcess | undefined;
afterAll(async () => {
  await running?.kill();
  await rm(directory, { recursive: true, force: true });
});

test(`a process that is killed at any moment and started again loses no video and pays for none twice (SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  const ports: Record<string, string> = { PORT: '0', WAN_PORT: '0', AWS_PORT: '0' };
  const start = async (): Promise<Endpoint> => {
    running = await startProcess({ LOCAL_DIR: directory, WAN_TASK_SECONDS: '2', ...ports });
    // The same ports again: links and the template hold them.
    ports.PORT = new URL(running.api_url).port;
    ports.WAN_PORT = new URL(running.wan_url).port;
    ports.AWS_PORT = new URL(running.aws_url).port;
    return endpoint({
      url: running.api_url,
      api_key: 'local',
      other_api_key: 'none',
      drop_api_key: 'local',
      s3: localS3(running.aws_url),
      uploads_bucket: 'firstframe-uploads',
      close: async () => undefined,
    });
  };
  let api = await start();
  const image = pngUrl(360, 360);
  const accepted = new Map<string, string>();
  const drops: string[] = [];
  for (let round = 0; round < 2; round++) {
    const key = randomUUID();
    const body = JSON.stringify({ model: 'wan2.2-i2v-flash', input: { prompt: `Round ${round}`, img_url: image } });
    const submit = () => api.call('/videos', { method: 'POST', body, headers: { 'idempotency-key': key } });
    const drop = `drop/round-${round}.png`;
    const upload = () =>
      api.s3.send(
        new PutObjectCommand({ Bucket: api.uploads_bucket, Key: drop, Body: png(360, 360 + round), IfNoneMatch: '*' }),
      );
    // A client that gets no answer asks again, with the same key; an uploader finds its object there or puts it.
    const first = await Promise.allSettled([submit(), upload(), after(random() * 4000).then(() => running!.kill())]);
    await running!.kill();
    api = await start();
    const again = first[0].status === 'fulfilled' && first[0].value.status < 300 ? first[0].value : await submit();
    expect([200, 202]).toContain(again.status);
    accepted.set(key, String(again.body.id));
    if (first[1].status === 'rejected') await upload().catch(({ name }) => expect(name).toBe('PreconditionFailed'));
    drops.push(drop);
  }

  const videos = await Promise.all([...accepted.values()].map((id) => api.finished(id)));
  const dropped = await Promise.all(drops.map((key) => dropOf(api, key)));
  for (const video of [...videos, ...dropped]) {
    expect(video, `video ${video.id}: ${JSON.stringify(video.error)}`).toMatchObject({
      status: 'succeeded',
      task: { attempts: expect.any(Number) },
    });
  }

  // Wan's own list knows what was paid for.
  const listed = await fetch(`${running!.wan_url}/tasks/?page_size=100`, {
    headers: { authorization: 'Bearer sk-local' },
  });
  const { data } = (await listed.json()) as { data: { status: string }[] };
  expect(data.map(({ status }) => status)).toEqual(
    Array.from({ length: accepted.size + drops.length }, () => 'SUCCEEDED'),
  );

  // Nothing half-written, nothing double: one file a video, and its metadata beside it.
  const { Versions = [] } = await api.s3.send(new ListObjectVersionsCommand({ Bucket: 'firstframe-videos' }));
  const files = [...videos, ...dropped].flatMap(({ video }) => [video!.key, video!.key.replace(/mp4$/, 'json')]);
  expect(Versions.map(({ Key }) => Key).sort()).toEqual(files.sort());
}, 170_000);

const after = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function dropOf(api: Endpoint, key: string): Promise<VideoView> {
  for (;;) {
    const { body } = await api.call('/videos?limit=100');
    const found = (body.data as VideoView[]).find(({ source }) => source.type === 'drop' && source.key === key);
    if (found) return api.finished(found.id);
    await after(100);
  }
}
