import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ffmpegFile } from './functions/media/support.ts';
import { type Endpoint, openEndpoint } from './support/endpoint.ts';
import { probe } from './support/probe.ts';

const root = path.resolve(import.meta.dirname, '..');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
const commands = [...readme.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((block) => block[1]!);
const blockWith = (text: string): string => {
  const found = commands.filter((block) => block.includes(text));
  if (found.length !== 1) throw new Error(`${found.length} blocks of the README hold ${text}.`);
  return found[0]!;
};

describe('the README', () => {
  test('names only scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: object };
    const named = [...readme.matchAll(/npm (?:run )?(\w[\w-]*)/g)]
      .map(([, name]) => name!)
      .filter((name) => name !== 'ci');
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('links only to files that there are', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, file]) => file!);
    expect(links.length).toBeGreaterThan(2);
    expect(links.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });
});

// The commands are for a shell with curl; a machine without one can't be told to run them.
const hasCurl = spawnSync('curl', ['--version']).status === 0;
describe.runIf(hasCurl)("the README's curl commands", () => {
  let api: Endpoint;
  let folder: string;
  beforeAll(async () => {
    api = await openEndpoint();
    folder = await mkdtemp(path.join(tmpdir(), 'firstframe-readme-'));
    const photo = await ffmpegFile('photo.jpg', '-f', 'lavfi', '-i', 'testsrc2=size=1200x900', '-frames:v', '1');
    await writeFile(path.join(folder, 'photo.jpg'), photo);
  });
  afterAll(async () => {
    await api?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const shell = (block: string, environment: Record<string, string> = {}) => {
    const script = block
      .replaceAll('http://127.0.0.1:4400', api.url)
      .replaceAll('Bearer local', `Bearer ${api.api_key}`);
    const env = { ...process.env, ...environment };
    return promisify(execFile)('bash', ['-euc', script.replaceAll('curl ', 'curl --silent ')], { cwd: folder, env });
  };

  test('upload a large picture by the program that is shown', async () => {
    const [program] = [...readme.matchAll(/^```js\n([\s\S]*?)^```/gm)].map((block) => block[1]!);
    const file = path.join(folder, 'upload.mjs');
    await writeFile(
      file,
      program!.replace('http://127.0.0.1:4400', api.url).replace('Bearer local', `Bearer ${api.api_key}`),
    );
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
    expect(await api.finished(stdout.trim())).toMatchObject({
      status: 'succeeded',
      image: { width: 1200, height: 900 },
    });
  });

  test('make a video of photo.jpg, tell how it stands, and fetch it', async () => {
    const { stdout } = await shell(blockWith('-d @- <<BODY'));
    const { id, status } = JSON.parse(stdout) as { id: string; status: string };
    expect(['queued', 'submitting']).toContain(status);
    await api.finished(id);
    const follow = await shell(blockWith('-L -o video.mp4'), { ID: id });
    expect(JSON.parse(follow.stdout)).toMatchObject({ id, status: 'succeeded' });
    expect((await stat(path.join(folder, 'video.mp4'))).size).toBeGreaterThan(10_000);
    expect(await probe(path.join(folder, 'video.mp4'))).toEqual({
      codec: 'h264',
      width: 720,
      height: 544,
      fps: 30,
      seconds: 5,
    });
  });
});
