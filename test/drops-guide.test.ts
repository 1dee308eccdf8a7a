import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readManifestText } from '../functions/drops/manifest-text.ts';
import type { VideoView } from '../functions/video/view.ts';
import { ffmpegFile } from './functions/media/support.ts';
import { type Endpoint, onStack, sharedStack } from './support/endpoint.ts';

const root = path.resolve(import.meta.dirname, '..');
const guide = readFileSync(path.join(root, 'docs/drops.md'), 'utf8');
const commands = [...guide.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((block) => block[1]!);
const blockWith = (text: string): string => {
  const found = commands.filter((block) => block.includes(text));
  if (found.length !== 1) throw new Error(`${found.length} blocks of docs/drops.md hold ${text}.`);
  return found[0]!;
};

/** What `readme.test.ts` does not check of the commands that it runs. */
describe('the guide to drops, by the AWS CLI or by a stand-in where there is none', { timeout: 150_000 }, () => {
  let api: Endpoint;
  let folder: string;
  let exports: string;
  let PATH = process.env.PATH!;
  beforeAll(async () => {
    const stack = await sharedStack();
    api = await onStack(stack, async () => undefined);
    // The SDK of the stand-in has another name for the region than the CLI.
    exports = `${blockWith('export AWS_ACCESS_KEY_ID').replace('http://127.0.0.1:4402', stack.aws_url)}export AWS_REGION=us-east-1\n`;
    folder = await mkdtemp(path.join(tmpdir(), 'firstframe-drops-'));
    const photo = await ffmpegFile('photo.jpg', '-f', 'lavfi', '-i', 'testsrc2=size=1200x900', '-frames:v', '1');
    await writeFile(path.join(folder, 'photo.jpg'), photo);
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
  const run = (text: string) => shell(blockWith(text));
  const resultOf = (key: string) => ended(`aws s3 cp 's3://firstframe-uploads/drop/${key}.result.json' -`);
  /** The content of a file that is written in the end. */
  const ended = async (block: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const text = await shell(block).catch(() => undefined);
      if (text) return JSON.parse(text) as Record<string, unknown>;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  };

  test.each([
    ['comma.jpg', 'Slowly, it wakes up'],
    ['encoded-word.jpg', '一只猫醒来'],
    ['percent.jpg', '一只猫醒来'],
  ])('a prompt with a comma, or in another language: %s', async (name, prompt) => {
    await run(name);
    expect(await resultOf(name)).toMatchObject({ status: 'succeeded', input: { prompt } });
  });

  test('a finished image is moved away, and another take is another video', async () => {
    await run("photo.jpg --metadata 'prompt=The cat wakes up,resolution=480P'\n");
    expect(await resultOf('photo.jpg')).toMatchObject({ status: 'succeeded' });
    await run('_done/photo.jpg');
    await run('take=2');
    expect(await resultOf('again.jpg')).toMatchObject({ status: 'succeeded' });
    const { body } = await api.call('/videos?limit=100', { headers: { authorization: `Bearer ${api.drop_api_key}` } });
    const videos = body.data as VideoView[];
    const of = (key: string) => videos.filter(({ source }) => source.type === 'drop' && source.key === `drop/${key}`);
    expect(of('_done/photo.jpg')).toEqual([]);
    expect(of('again.jpg')).toHaveLength(2);
  });
});

/** Commands that the tables of the guide show, on the files that they are for. */
describe('a manifest that was written otherwise', () => {
  const request = { model: 'wan2.2-i2v-flash', input: { prompt: 'The "cat" runs', img_url: '_images/photo.jpg' } };
  const commandIn = (start: string) => new RegExp(`\`(${start}[^\`]*)\``).exec(guide)![1]!.replaceAll('\\|', '|');
  const convert = async (command: string, name: string, content: string | Buffer) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'firstframe-manifest-'));
    await writeFile(path.join(folder, name), content);
    await promisify(execFile)('bash', ['-euc', command], { cwd: folder });
    const manifest = await readFile(path.join(folder, 'manifest.jsonl'));
    await rm(folder, { recursive: true });
    return manifest;
  };
  const jsonl = `${JSON.stringify(request)}\n${JSON.stringify(request)}\n`;
  const hasJq = spawnSync('jq', ['--version']).status === 0;

  test.runIf(hasJq).each([
    ["jq -c '\\.\\[\\]' array", 'array.json', JSON.stringify([request, request], undefined, 2)],
    ['jq -c \\. objects', 'objects.json', `${JSON.stringify(request, undefined, 2)}\n`.repeat(2)],
    ['iconv', 'utf16.jsonl', Buffer.from(`\ufeff${jsonl}`, 'utf16le')],
    ["jq -c '\\.model", 'without-model.jsonl', `${JSON.stringify({ input: request.input })}\n`.repeat(2)],
  ])('is one after %s', async (command, name, content) => {
    const read = readManifestText(await convert(commandIn(command), name, content));
    const lines =
      'lines' in read ? read.lines.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as object) : read;
    expect(lines).toEqual([request, request]);
  });
});
