import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { projectRoot } from '../../infra/synth/bundle.ts';

/** The tests of the whole stack. */
const suite = ['test/e2e', 'test/local/auth.test.ts', 'test/local/canary.test.ts', 'test/secrets.test.ts'];

/**
 * Returns the file with the recorded calls of the tests: `AWS_CALLS_FILE` of an earlier run, or the file of a new run.
 * @throws Error with the output of the tests if one of them fails, since calls may then be missing
 */
export async function recordCalls(files: readonly string[] = suite): Promise<string> {
  if (process.env.AWS_CALLS_FILE) return path.resolve(projectRoot, process.env.AWS_CALLS_FILE);
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'firstframe-calls-')), 'aws-calls.jsonl');
  const vitest = path.join(projectRoot, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', '--reporter=dot', ...files], {
    cwd: projectRoot,
    env: { ...process.env, AWS_CALLS_FILE: file },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (printed += String(text)));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`The tests of the whole stack failed:\n${printed}`);
  return file;
}
