import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'firstframe-run-'));
  return () => rm(folder, { recursive: true, force: true });
});

/** Runs a program with run.cjs on a Node that claims to have another version. */
async function run(version: string, source: string, ...args: string[]) {
  const [preload, program] = [path.join(folder, 'version.cjs'), path.join(folder, 'program.ts')];
  await writeFile(
    preload,
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`,
  );
  await writeFile(program, source);
  const command = ['--require', preload, 'infra/operations/run.cjs', program, ...args];
  return new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    // Without the variable that vitest.config.ts sets.
    const { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: _, ...env } = process.env;
    execFile(process.execPath, command, { env }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

test.each(['8.17.0', '18.20.8', '20.9.0'])(
  'rejects Node %s in one line, without loading the program',
  async (version) => {
    // Not even the syntax of the program is read.
    const { status, stdout, stderr } = await run(version, 'this is no program');
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: `firstframe needs Node 20.19 or later; this is ${version}.\n`,
    });
  },
);

test.each(['20.19.0', '24.1.0'])('runs a TypeScript program on Node %s', async (version) => {
  const source =
    'const args: string[] = process.argv.slice(1);\nconsole.log(args.join(" "), process.argv[1] === import.meta.filename)';
  const { status, stdout, stderr } = await run(version, source, '--first', 'second');
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: `${path.join(folder, 'program.ts')} --first second true\n`,
    stderr: '',
  });
});

test('silences the AWS SDK about future versions of Node, but no other warning', async () => {
  const client = import.meta.resolve('@aws-sdk/client-dynamodb');
  const source = `import { DynamoDBClient } from '${client}';
    new DynamoDBClient({ region: 'us-east-1' });
    process.emitWarning('another warning');`;
  const { stderr } = await run('20.20.2', source);
  expect(stderr).toContain('another warning');
  expect(stderr).not.toContain('NodeVersionSupportWarning');
});
