import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ffmpegFile } from './functions/media/support.ts';
import { type Endpoint, onStack, sharedStack } from './support/endpoint.ts';

const root = path.resolve(import.meta.dirname, '..');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
const commands = [...readme.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((block) => block[1]!);
const blockWith = (text: string): string => {
  const found = commands.filter((block) => block.includes(text));
  if (found.length !== 1) throw new Error(`${found.length} blocks of the README hold ${text}.`);
  return found[0]!;
};

describe("the README's drops, by the AWS CLI or by a stand-in where there is none", { timeout: 150_000 }, () => {
  let api: Endpoint;
  let folder: string;
  let exports: string;
  let PATH = process.env.PATH!;
  beforeAll(async () => {
    const stack = await sharedStack();
    api = await onStack(stack, async () => undefined);
    exports = blockWith('export AWS_ACCESS_KEY_ID').replace('http://127.0.0.1:4402', stack.aws_url);
    folder = await mkdtemp(path.join(tmpdir(), 'firstframe-drops-'));
    const photo = await ffmpegFile('photo.jpg', '-f', 'lavfi', '-i', 'testsrc2=size=1200x900', '-frames:v', '1');
    await mkdir(path.join(folder, 'holidays/second day'), { recursive: true });
    for (const name of ['photo.jpg', 'holidays/beach.jpg', 'holidays/second day/hut.jpg']) {
      await writeFile(path.join(folder, name), photo);
    }
    if (spawnSync('aws', ['--version']).status === 0) return;
    const standIn = path.join(root, 'test/support/aws-cli.ts');
    const tsx = path.join(root, 'node_modules/tsx/dist/loader.mjs');
    await mkdir(path.join(folder, 'bin'));
    await writeFile(
      path.join(folder, 'bin/aws'),
      `#!/bin/sh\nexec '${process.execPath}' --import '${tsx}' '${standIn}' "$@"\n`,
    );
    await chmod(path.join(folder, 'bin/aws'), 0o755);
    PATH = `${path.join(folder, 'bin')}:${PATH}`;
  });
  afterAll(async () => {
    await api?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const shell = async (block: string): Promise<string> => {
    const env = { ...process.env, PATH };
    return (await promisify(execFile)('bash', ['-euc', exports + block], { cwd: folder, env })).stdout;
  };
  /** What a file that is written in the end says, once it is there. */
  const ended = async (block: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const text = await shell(block).catch(() => undefined);
      if (text) return JSON.parse(text) as Record<string, unknown>;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  };

  test('one image with metadata, and its result', async () => {
    await shell(blockWith("--metadata 'prompt="));
    expect(await ended(blockWith('photo.jpg.result.json -'))).toMatchObject({
      status: 'succeeded',
      parameters: { resolution: '480P' },
      settings: { '/input/prompt': 'metadata' },
    });
  });

  test('a folder with defaults, and folders below it', async () => {
    await shell(blockWith('aws s3 sync holidays'));
    for (const name of ['beach.jpg', 'second day/hut.jpg']) {
      const block = `aws s3 cp 's3://firstframe-uploads/drop/holidays/${name}.result.json' -`;
      expect(await ended(block)).toMatchObject({
        status: 'succeeded',
        settings: { '/input/prompt': 'defaults', '/parameters/resolution': 'defaults' },
      });
    }
  });

  test('a batch, whose images make no videos by themselves', async () => {
    await shell(blockWith('manifest.jsonl <<'));
    const summary = await ended(blockWith('manifest.jsonl.results/summary.json -'));
    expect(summary).toMatchObject({ status: 'finished', lines: 2, succeeded: 2 });
    await expect(
      shell('aws s3 cp s3://firstframe-uploads/drop/batch/_images/photo.jpg.result.json -'),
    ).rejects.toThrow();
  });
});
