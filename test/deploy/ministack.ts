import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { pythonWith } from '../support/python.ts';

/** From PyPI. */
const requirement = 'ministack==1.5.33';

export interface MiniStack {
  /** The endpoint of all AWS services. */
  url: string;
  /** Environment variables with which AWS clients, including the CDK, use only MiniStack. */
  environment: Record<string, string>;
  close(): Promise<void>;
}

/** MiniStack's account. */
export const account = '000000000000';
export const region = 'us-east-1';

/**
 * Starts MiniStack (MIT, PyPI `ministack`): AWS services on 127.0.0.1 to which the CDK CLI can deploy. It runs Lambda functions
 * with this machine's Node.
 * @param directory receives its log and its state
 * @throws Error if it ends, or does not start within 3 min
 */
export async function startMiniStack(directory: string): Promise<MiniStack> {
  const programs = await pythonWith(requirement);
  await mkdir(directory, { recursive: true });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const environment = {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    // Excludes profiles of this machine and instance roles.
    AWS_CONFIG_FILE: path.join(directory, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: path.join(directory, 'none'),
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DEFAULT_ACCOUNT: account,
    CDK_DEFAULT_REGION: region,
    NO_PROXY: '127.0.0.1,localhost',
  };
  const log = createWriteStream(path.join(directory, 'ministack.log'));
  const child = spawn(path.join(programs, 'ministack'), [], {
    env: {
      ...process.env,
      ...environment,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      LAMBDA_EXECUTOR: 'local',
      STATE_DIR: path.join(directory, 'state'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const ended = once(child, 'exit');
  await untilUp(
    url,
    ended.then(() => true),
  );
  return {
    url,
    environment,
    async close() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(timer);
      log.end();
    },
  };
}

async function untilUp(url: string, ended: Promise<true>): Promise<void> {
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  for (const deadline = Date.now() + 180_000; Date.now() < deadline && !hasEnded; ) {
    const response = await fetch(url).catch(() => undefined);
    if (response) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('MiniStack did not start. See its log.');
}

/** Returns a free port of 127.0.0.1. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
