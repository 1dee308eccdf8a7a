import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfiguration } from '../../infra/config.ts';
import { lockDirectory } from '../../local/aws/directory-lock.ts';
import { readSettings } from '../../local/settings.ts';
import { stackContext } from '../../local/stack-context.ts';
import { startWan } from '../../local/wan/server.ts';
import { wanKeyIssue } from '../../local/wan-key.ts';
import { pngUrl } from '../support/png.ts';

function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'firstframe-start-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  return directory;
}

/** Runs `npm start` on free ports. */
function start(environment: Record<string, string>) {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, ['infra/operations/run.cjs', 'local/start.ts'], {
    env: { PATH, PORT: '0', WAN_PORT: '0', AWS_PORT: '0', WAN_TASK_SECONDS: '2', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = () => /API +(http:\S+)/.exec(output)?.[1];
  return { child, ended, output: () => output, up: () => eventually(url, ended, () => output) };
}

async function eventually<Value>(
  read: () => Value | undefined | Promise<Value | undefined>,
  ended: Promise<unknown>,
  output: () => string,
): Promise<Value> {
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  for (let tries = 0; tries < 1200; tries += 1) {
    const value = await read();
    if (value !== undefined) return value;
    if (hasEnded) throw new Error(`the process ended: ${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within 60 s: ${output()}`);
}

async function kill(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

const headers = { authorization: 'Bearer my-key', 'content-type': 'application/json' };

test('the next start finishes a video whose process was killed', { timeout: 150_000 }, async () => {
  const LOCAL_DIR = temporaryDirectory();
  const first = start({ LOCAL_DIR, API_KEY: 'my-key' });
  const firstUrl = await first.up();
  expect((await fetch(`${firstUrl}/health`)).status).toBe(200);
  const body = {
    model: 'wan2.2-i2v-flash',
    input: { prompt: 'A cat runs', img_url: pngUrl(640, 360) },
  };
  const accepted = await fetch(`${firstUrl}/videos`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(accepted.status).toBe(202);
  const { id } = (await accepted.json()) as { id: string };
  await kill(first.child, first.ended);

  const second = start({ LOCAL_DIR, API_KEY: 'my-key' });
  const url = await second.up();
  const video = await eventually(
    async () => {
      const found = (await (await fetch(`${url}/videos/${id}`, { headers })).json()) as {
        status: string;
        video?: { bytes: number };
      };
      return ['succeeded', 'failed', 'canceled'].includes(found.status) ? found : undefined;
    },
    second.ended,
    second.output,
  );
  expect(video).toMatchObject({ status: 'succeeded' });
  const content = await fetch(`${url}/videos/${id}/content`, { headers: { authorization: 'Bearer my-key' } });
  expect((await content.arrayBuffer()).byteLength).toBe(video.video?.bytes);

  second.child.kill('SIGINT');
  expect(await second.ended).toBe(0);
});

test('names every port in use with its variable in one message', { timeout: 180_000 }, async () => {
  const variables = ['PORT', 'WAN_PORT', 'AWS_PORT'];
  const ports = await Promise.all(
    variables.map(async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      return String((server.address() as AddressInfo).port);
    }),
  );
  const environment = Object.fromEntries(variables.map((variable, index) => [variable, ports[index]!]));
  const { ended, output } = start({ LOCAL_DIR: temporaryDirectory(), ...environment });
  expect(await ended).toBe(1);
  for (const variable of variables) {
    expect(output()).toContain(`Port ${environment[variable]} is in use. Set ${variable} to another one`);
  }
  expect(output()).not.toContain(' at ');
});

test.each(['.', 'dynamodb'])(
  'ends with one sentence when its state (%s) is deleted under it, during requests',
  { timeout: 150_000 },
  async (part) => {
    const LOCAL_DIR = temporaryDirectory();
    const { up, ended, output } = start({ LOCAL_DIR, API_KEY: 'my-key' });
    const url = await up();
    const body = { model: 'wan2.2-i2v-flash', input: { prompt: 'A cat runs', img_url: pngUrl(640, 360) } };
    const requests = setInterval(() => {
      fetch(`${url}/videos`, { method: 'POST', headers, body: JSON.stringify(body) }).catch(() => undefined);
    }, 50);
    onTestFinished(() => clearInterval(requests));
    expect((await fetch(`${url}/videos`, { headers })).status).toBe(200);
    // In one step: files that are written while a directory is emptied would keep it.
    renameSync(path.join(LOCAL_DIR, part), path.join(temporaryDirectory(), 'deleted'));
    expect(await ended).toBe(1);
    expect(output()).toMatch(
      /The state in \S+ was deleted while firstframe was running, so it cannot continue\. Start it again\.\s*$/,
    );
    expect(output()).not.toMatch(/ENOENT|no such file|^ +at /im);
  },
);

test('continues without the logs that were deleted under it', { timeout: 150_000 }, async () => {
  const LOCAL_DIR = temporaryDirectory();
  const { up, child, ended } = start({ LOCAL_DIR, API_KEY: 'my-key' });
  const url = await up();
  rmSync(path.join(LOCAL_DIR, 'logs'), { recursive: true, force: true });
  expect((await fetch(`${url}/videos`, { headers })).status).toBe(200);
  expect(readdirSync(path.join(LOCAL_DIR, 'logs')).some((name) => name.includes('videos'))).toBe(true);
  child.kill('SIGINT');
  expect(await ended).toBe(0);
});

describe('the state directory', () => {
  /** Locks a directory in a child process, which then prints `locked` and stays alive, or prints the error and ends. */
  function lockInChild(directory: string, { asZombie = false } = {}) {
    const lock = JSON.stringify(new URL('../../local/aws/directory-lock.ts', import.meta.url).href);
    const code = `
      const { lockDirectory } = await import(${lock});
      await lockDirectory(process.argv[1]).then(
        () => { console.log('locked ' + process.pid); setInterval(() => {}, 1000); },
        (error) => console.log(error.message),
      );`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', code, directory];
    // Its parent becomes `sleep`, which never asks for the result of its child: once killed, the child stays a zombie.
    const child = asZombie
      ? spawn('sh', ['-c', '"$@" & exec sleep 60', 'sh', process.execPath, ...args])
      : spawn(process.execPath, args);
    onTestFinished(() => void child.kill('SIGKILL'));
    const printed = new Promise<string>((resolve) => {
      child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim()));
      child.stderr.once('data', (text: Buffer) => resolve(text.toString().trim()));
    });
    const pid = async () => Number((await printed).split(' ')[1]);
    onTestFinished(async () => {
      try {
        process.kill(await pid(), 'SIGKILL');
      } catch {
        // It has ended.
      }
    });
    return { child, printed, pid };
  }
  const isZombie = (pid: number) => /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

  test('is locked once, also within a process and through a symbolic link', async () => {
    const directory = temporaryDirectory();
    const link = path.join(temporaryDirectory(), 'link');
    symlinkSync(directory, link);
    const unlock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toThrow(
      `The state directory ${directory} is in use by process ${process.pid}. End that process, or set LOCAL_DIR`,
    );
    await expect(lockDirectory(link)).rejects.toThrow('LOCAL_DIR');
    const other = await lockDirectory(temporaryDirectory());
    other();
    unlock();
    (await lockDirectory(directory))();
  });

  test('is free immediately after kill -9 of the process that used it', { timeout: 60_000 }, async () => {
    const directory = temporaryDirectory();
    const { child, printed, pid } = lockInChild(directory);
    expect(await printed).toBe(`locked ${child.pid}`);
    await expect(lockDirectory(directory)).rejects.toThrow(`in use by process ${await pid()}`);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    (await lockDirectory(directory))();
  });

  test.runIf(process.platform === 'linux')('is not locked by a zombie', { timeout: 60_000 }, async () => {
    const directory = temporaryDirectory();
    const { pid } = lockInChild(directory, { asZombie: true });
    const holder = await pid();
    await expect(lockDirectory(directory)).rejects.toThrow(`in use by process ${holder}`);
    process.kill(holder, 'SIGKILL');
    while (!isZombie(holder)) await new Promise((resolve) => setTimeout(resolve, 10));
    (await lockDirectory(directory))();
    expect(isZombie(holder)).toBe(true);
  });

  test('is not locked by a file that names a living process, such as one with a reused process id', async () => {
    const directory = temporaryDirectory();
    writeFileSync(path.join(directory, 'lock'), `${process.ppid}\n`);
    (await lockDirectory(directory))();
  });

  test('is locked by one of several processes that start at the same time after a crash', {
    timeout: 120_000,
  }, async () => {
    const directory = temporaryDirectory();
    const crashed = lockInChild(directory);
    await crashed.printed;
    crashed.child.kill('SIGKILL');
    const started = Array.from({ length: 4 }, () => lockInChild(directory));
    const printed = await Promise.all(started.map((each) => each.printed));
    const [locked = ''] = printed.filter((text) => text.startsWith('locked'));
    const holder = locked.replace('locked ', '');
    const refused = `The state directory ${directory} is in use by process ${holder}. End that process, or set LOCAL_DIR to another directory.`;
    expect(printed.filter((text) => text !== locked)).toEqual([refused, refused, refused]);
  });
});

test('reports a key that the real Wan rejects, and an unreachable Wan', async () => {
  const wan = await startWan({ port: 0, directory: temporaryDirectory(), taskSeconds: 1, limits: 'off' });
  const issueOf = (DASHSCOPE_API_KEY: string) =>
    wanKeyIssue(readSettings({ DASHSCOPE_API_KEY, WAN_BASE_URL: wan.url }));
  expect(await issueOf('sk-valid')).toBeUndefined();
  expect(await wanKeyIssue(readSettings({}))).toBeUndefined();
  const issue = await issueOf('sk-invalid-1');
  expect(issue).toMatch(/^Wan at 127\.0\.0\.1:\d+ rejects DASHSCOPE_API_KEY \(invalid_key\)\. Check the key/);
  expect(issue).not.toContain('sk-');
  await wan.close();
  expect(await issueOf('sk-valid')).toMatch(/^Wan does not respond at 127\.0\.0\.1:\d+ \(\w+\)\. Check the network/);
});

describe('the settings', () => {
  test('have the documented defaults', () => {
    expect(readSettings({})).toEqual({
      port: 4400,
      wan_port: 4401,
      aws_port: 4402,
      directory: path.resolve('.local'),
      api_key: 'local',
      wan: { kind: 'emulator', task_seconds: 6, limits: 'on' },
    });
  });

  test('use the real Wan when there is a key for it, with a state of its own', () => {
    const base_url = 'https://dashscope.aliyuncs.com/api/v1';
    const settings = readSettings({ DASHSCOPE_API_KEY: 'sk-1', WAN_BASE_URL: base_url });
    expect(settings.wan).toEqual({ kind: 'real', api_key: 'sk-1', base_url });
    expect(settings.directory).toBe(path.resolve('.local/real'));
    expect(stackContext(settings, 'http://127.0.0.1:4402', undefined)).toMatchObject({
      region: 'beijing',
      wanBaseUrl: base_url,
      imageTransfer: 'upload',
      trustedOrigins: ['http://127.0.0.1:4402'],
    });
  });

  test('of the stack can be overridden, except that local origins stay trusted', () => {
    const given = { auth: 'iam', monthlySpendingLimit: 5, trustedOrigins: ['http://127.0.0.1:9000'] };
    const [aws, emulator] = ['http://127.0.0.1:4402', 'http://127.0.0.1:4401'];
    const context = stackContext(readSettings({}), aws, `${emulator}/api/v1`, given);
    expect(context).toMatchObject({ ...given, trustedOrigins: [emulator, aws, 'http://127.0.0.1:9000'] });
    expect(readConfiguration(context)).toMatchObject({ auth: { mode: 'iam' }, monthlySpendingLimit: 5 });
  });

  test('of the stack limit spending only for the real Wan', () => {
    const limitOf = (environment: Record<string, string>, emulator?: string) =>
      readConfiguration(stackContext(readSettings(environment), 'http://127.0.0.1:4402', emulator))
        .monthlySpendingLimit;
    expect(limitOf({}, 'http://127.0.0.1:4401/api/v1')).toBeUndefined();
    expect(limitOf({ DASHSCOPE_API_KEY: 'sk-1' })).toBe(100);
  });

  test('are rejected with every invalid variable, without showing a key', () => {
    const invalid = {
      PORT: '65536',
      AWS_PORT: 'x',
      WAN_TASK_SECONDS: '-1',
      WAN_LIMITS: 'no',
      WAN_DOMAIN: 'other',
      API_KEY: 'a secret',
      WAN_BASE_URL: 'b',
    };
    const read = () => readSettings(invalid);
    for (const name of Object.keys(invalid)) expect(read).toThrow(name);
    expect(read).not.toThrow('a secret');
  });
});
