import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { roleAccessKey } from '../../../local/aws/endpoint/access-keys.ts';
import type { FunctionDefinition } from '../../../local/aws/lambda/function-definition.ts';

export interface ManualClock {
  now(): number;
  after(milliseconds: number, action: () => void): () => void;
  /** Advances the time and runs the due timers in order. */
  advance(milliseconds: number): void;
  /** Milliseconds until the next timer. */
  next(): number | undefined;
}

export function manualClock(start = Date.parse('2026-01-31T12:00:00Z')): ManualClock {
  let time = start;
  const timers = new Set<{ at: number; action: () => void }>();
  const earliest = () => [...timers].sort((one, other) => one.at - other.at)[0];
  return {
    now: () => time,
    after(milliseconds, action) {
      const timer = { at: time + milliseconds, action };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(milliseconds) {
      const end = time + milliseconds;
      for (let timer = earliest(); timer && timer.at <= end; timer = earliest()) {
        timers.delete(timer);
        time = timer.at;
        timer.action();
      }
      time = end;
    },
    next: () => {
      const timer = earliest();
      return timer && timer.at - time;
    },
  };
}

/** Creates a directory that is removed after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'firstframe-local-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/** Writes a Lambda bundle as CommonJS, the deployed format. */
export async function writeFunction(directory: string, name: string, code: string): Promise<string> {
  const codeDirectory = path.join(directory, 'code', name);
  await mkdir(codeDirectory, { recursive: true });
  await writeFile(path.join(codeDirectory, 'package.json'), '{"type":"commonjs"}');
  await writeFile(path.join(codeDirectory, 'index.js'), code);
  return codeDirectory;
}

export async function functionDefinition(
  directory: string,
  code: string,
  overrides: Partial<FunctionDefinition> = {},
): Promise<FunctionDefinition> {
  const name = overrides.name ?? 'test-function';
  const { access_key_id, secret_access_key } = roleAccessKey(`arn:aws:iam::000000000000:role/${name}`);
  return {
    name,
    arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    code_directory: await writeFunction(directory, name, code),
    handler: 'index.handler',
    environment: {},
    memory_mb: 128,
    timeout_seconds: 3,
    access_key_id,
    secret_access_key,
    async_settings: {},
    ...overrides,
  };
}

/** Waits until a condition in another thread or process is met. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition was never met');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
