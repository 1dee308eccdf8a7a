import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfiguration } from '../../infra/config.ts';
import { lockDirectory } from '../../local/aws/directory-lock.ts';
import { readSettings } from '../../local/settings.ts';
import { stackContext } from '../../local/stack-context.ts';
import { pngUrl } from '../support/png.ts';

function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'firstframe-start-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  return directory;
}

/** Starts the program as `npm start` does, on free ports. */
function start(environment: Record<string, string>) {
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', 'local/start.ts'], {
    env: { PATH, PORT: '0', WAN_PORT: '0', AWS_PORT: '0', WAN_TASK_SECONDS: '2', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = () => /API +(http:\S+)/.exec(output)?.[1];
  return { child, ended, output: () => output, up: () => becomes(url, ended, () => output) };
}

async function becomes<Value>(
  read: () => Value | undefined | Promise<Value | undefined>,
  ended: Promise<unknown>,
  output: () => string,
): Promise<Value> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (let tries = 0; tries < 600; tries += 1) {
    const value = await read();
    if (value !== undefined) return value;
    if (over) throw new Error(`the process ended: ${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it never happened: ${output()}`);
}

async function kill(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

const headers = { authorization: 'Bearer my-key', 'content-type': 'application/json' };

test('a video whose process was killed while it ran is finished by the next start', { timeout: 90_000 }, async () => {
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
  const video = await becomes(
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

describe('a start that can’t be', () => {
  test('because a port is taken names the variable to change', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    for (const variable of ['PORT', 'WAN_PORT', 'AWS_PORT']) {
      const { ended, output } = start({ LOCAL_DIR: temporaryDirectory(), [variable]: String(port) });
      expect(await ended).toBe(1);
      expect(output()).toBe(`Port ${port} is in use. Set ${variable} to another one (0 takes any free port).\n`);
    }
  });
});

describe('the state directory', () => {
  test('belongs to one process', () => {
    const directory = temporaryDirectory();
    const unlock = lockDirectory(directory);
    expect(() => lockDirectory(directory)).toThrow('LOCAL_DIR');
    unlock();
    lockDirectory(directory)();
  });

  test('of a living process is not taken, that of a dead one is', async () => {
    const directory = temporaryDirectory();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    onTestFinished(() => void child.kill('SIGKILL'));
    writeFileSync(path.join(directory, 'lock'), `${child.pid}\n`);
    expect(() => lockDirectory(directory)).toThrow(`process ${child.pid}`);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    lockDirectory(directory);
    expect(readFileSync(path.join(directory, 'lock'), 'utf8')).toBe(`${process.pid}\n`);
  });

  test('of a killed process with this one’s id is taken over', () => {
    const directory = temporaryDirectory();
    writeFileSync(path.join(directory, 'lock'), `${process.pid}\n`);
    expect(() => lockDirectory(directory)).not.toThrow();
  });
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

  test('with a key of the real Wan use it instead of the emulator', () => {
    const base_url = 'https://dashscope.aliyuncs.com/api/v1';
    const settings = readSettings({ DASHSCOPE_API_KEY: 'sk-1', WAN_BASE_URL: base_url });
    expect(settings.wan).toEqual({ kind: 'real', api_key: 'sk-1', base_url });
    expect(stackContext(settings, 'http://127.0.0.1:4402', undefined)).toMatchObject({
      region: 'beijing',
      wanBaseUrl: base_url,
      imageTransfer: 'upload',
      trustedOrigins: ['http://127.0.0.1:4402'],
    });
  });

  test('of the stack can be given over this machine’s, whose own origins stay trusted', () => {
    const given = { auth: 'iam', monthlySpendingLimit: 5, trustedOrigins: ['http://127.0.0.1:9000'] };
    const [aws, emulator] = ['http://127.0.0.1:4402', 'http://127.0.0.1:4401'];
    const context = stackContext(readSettings({}), aws, `${emulator}/api/v1`, given);
    expect(context).toMatchObject({ ...given, trustedOrigins: [emulator, aws, 'http://127.0.0.1:9000'] });
    expect(readConfiguration(context)).toMatchObject({ auth: { mode: 'iam' }, monthlySpendingLimit: 5 });
  });

  test('of the stack limit spending only where money is spent', () => {
    const limitOf = (environment: Record<string, string>, emulator?: string) =>
      readConfiguration(stackContext(readSettings(environment), 'http://127.0.0.1:4402', emulator))
        .monthlySpendingLimit;
    expect(limitOf({}, 'http://127.0.0.1:4401/api/v1')).toBeUndefined();
    expect(limitOf({ DASHSCOPE_API_KEY: 'sk-1' })).toBe(100);
  });

  test('name everything that is wrong, but never a key', () => {
    const wrong = {
      PORT: '65536',
      AWS_PORT: 'x',
      WAN_TASK_SECONDS: '-1',
      WAN_LIMITS: 'no',
      API_KEY: 'a secret',
      WAN_BASE_URL: 'b',
    };
    const refusal = () => readSettings(wrong);
    for (const name of Object.keys(wrong)) expect(refusal).toThrow(name);
    expect(refusal).not.toThrow('a secret');
  });
});
