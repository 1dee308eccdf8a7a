import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readSettings } from '../../local/settings.ts';
import { startLocal } from '../../local/stack.ts';

/** Starts the stack with these variables and returns the canary's first log lines. */
async function firstCanaryRun(variables: Record<string, string>): Promise<Record<string, unknown>[]> {
  const LOCAL_DIR = mkdtempSync(path.join(tmpdir(), 'firstframe-canary-'));
  onTestFinished(() => rmSync(LOCAL_DIR, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  const stack = await startLocal(readSettings({ PORT: '0', WAN_PORT: '0', AWS_PORT: '0', LOCAL_DIR, ...variables }));
  try {
    for (let tries = 0; tries < 1800; tries += 1) {
      const logs = path.join(LOCAL_DIR, 'logs');
      const file = readdirSync(logs).find((name) => /canary/i.test(name));
      const text = file ? readFileSync(path.join(logs, file), 'utf8') : '';
      if (text.includes('REPORT'))
        return [...text.matchAll(/^\S+ \S+ (\{.*\})$/gm)].map(([, line]) => JSON.parse(line!));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('The canary never ran.');
  } finally {
    await stack.close();
  }
}

test('the canary checks the emulator soon after the start', { timeout: 120_000 }, async () => {
  const lines = await firstCanaryRun({});
  expect(lines).toContainEqual(expect.objectContaining({ level: 'INFO', outcome: 'answered' }));
  expect(lines).toContainEqual(expect.objectContaining({ service: 'firstframe', CanaryFailed: 0 }));
});

test('the canary makes no request without a key', { timeout: 120_000 }, async () => {
  // Nothing listens there, so a request would fail.
  const lines = await firstCanaryRun({ DASHSCOPE_API_KEY: 'unset', WAN_BASE_URL: 'http://127.0.0.1:1/api/v1' });
  expect(lines).toContainEqual(expect.objectContaining({ level: 'INFO', outcome: 'unset' }));
  expect(lines).toContainEqual(expect.objectContaining({ service: 'firstframe', CanaryFailed: 0 }));
});
