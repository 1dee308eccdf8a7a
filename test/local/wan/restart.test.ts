import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bodyFor, createClient, png, temporaryDirectory, wanForTest } from './support.ts';

const small = { parameters: { resolution: '480P', duration: 3 } };

test('tasks, videos and counted downloads survive a restart, and running tasks end after it', async () => {
  const first = await wanForTest();
  const done = await first.client.create(
    bodyFor('wan2.1-i2v-turbo', { ...small, input: { prompt: 'a cat [[drop=1]]' } }),
  );
  first.clock.advance(6);
  const { video_url } = (await first.client.query(done)).body.output;
  await fetch(video_url)
    .then((response) => response.arrayBuffer())
    .catch(() => {});
  const running = await first.client.create(bodyFor('wan2.1-i2v-turbo', { ...small, input: { prompt: 'a dog' } }));
  first.clock.advance(3);
  await first.wan.close();

  const { client, clock } = await wanForTest({ directory: first.directory, now: first.clock.now });
  expect(await client.statusOf(running)).toBe('RUNNING');
  first.clock.advance(3);
  expect(await client.statusOf(running)).toBe('SUCCEEDED');
  expect(await client.statusOf(done)).toBe('SUCCEEDED');
  expect((await client.video(done)).toString('latin1', 4, 8)).toBe('ftyp');
  expect((await client.list()).body.total).toBe(2);
  expect(clock.now()).not.toBe(first.clock.now());
});

test('deletes expired tasks and their files at the next start', async () => {
  const first = await wanForTest();
  const taskId = await first.client.create(bodyFor('wan2.1-i2v-turbo', small));
  first.clock.advance(6);
  expect(await first.client.statusOf(taskId)).toBe('SUCCEEDED');
  await first.wan.close();
  first.clock.advance(48 * 3600);
  await wanForTest({ directory: first.directory, now: first.clock.now });
  for (const folder of ['tasks', 'inputs', 'renderings']) {
    expect(await readdir(join(first.directory, folder))).toEqual([]);
  }
});

test('npm run wan survives kill -9 with every task that it acknowledged', { timeout: 180_000 }, async () => {
  const directory = await temporaryDirectory();
  const first = await startProgram(directory);
  const client = createClient({ url: first.url });
  const tasks = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      client.create(bodyFor('wan2.1-i2v-turbo', { ...small, input: { prompt: `cat ${index} [[fail=SystemError]]` } })),
    ),
  );
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const again = createClient({ url: (await startProgram(directory)).url });
  for (const taskId of tasks) expect(await again.statusOf(taskId)).not.toBe('UNKNOWN');
  expect(await again.statusOf(tasks[0] ?? '')).toBe('FAILED');
});

/** Runs `npm run wan` on a free port, with tasks that take no time. */
async function startProgram(directory: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['infra/operations/run.cjs', 'local/start-wan.ts'], {
    env: { ...process.env, WAN_PORT: '0', WAN_TASK_SECONDS: '0', WAN_LIMITS: 'off', LOCAL_DIR: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [line] = await once(child.stdout, 'data');
  const url = /http:\/\/127\.0\.0\.1:\d+\/api\/v1/.exec(String(line))?.[0];
  if (!url) throw new Error(`no URL in: ${line}`);
  return { child, url };
}

test('rejects a port in use', async () => {
  const { wan } = await wanForTest();
  await expect(wanForTest({ port: wan.port })).rejects.toThrow('EADDRINUSE');
});

test('stores images with the same content once', async () => {
  const { client, directory } = await wanForTest();
  await client.create(bodyFor('wan2.1-i2v-turbo'));
  await client.create(bodyFor('wan2.1-i2v-turbo'));
  await client.create(bodyFor('wan2.1-i2v-turbo', { input: { img_url: png(400, 400).toString('base64') } }));
  expect(await readdir(join(directory, 'inputs'))).toHaveLength(2);
});
