import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findModel } from '../../functions/wan/catalogue.ts';
import { readImage } from '../../local/demo/read-image.ts';
import { createStatusLine } from '../../local/demo/status-line.ts';
import { png } from '../support/png.ts';

const model = findModel('wan2.2-i2v-flash');

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'firstframe-demo-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  return folder;
}

/** Runs `npm run demo` as npm does: in the folder of the project, with the caller's folder in INIT_CWD. */
function demo(folder: string, ...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const { PATH = '' } = process.env;
  const env = { PATH, INIT_CWD: folder, LOCAL_DIR: path.join(folder, 'state'), WAN_TASK_SECONDS: '1' };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['infra/operations/run.cjs', 'local/demo.ts', ...args],
      { env },
      (error, stdout, stderr) => resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

describe('npm run demo', () => {
  test('prints a few facts and, last, the path of the MP4', { timeout: 180_000 }, async () => {
    const folder = await temporaryFolder();
    // Too large for the body of a request, so that it is uploaded.
    await writeFile(path.join(folder, 'photo.png'), Buffer.concat([png(640, 360), Buffer.alloc(5 * 1024 * 1024)]));
    const { status, stdout, stderr } = await demo(folder, 'photo.png');
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout.trim().split('\n');
    const file = lines.at(-1)!.trim();
    expect(readFileSync(file).toString('latin1', 4, 8)).toBe('ftyp');
    expect(lines.length).toBeLessThan(30);
    for (const fact of ['Model ', 'Size ', 'Length ', 'Cost ', 'Took ']) expect(stdout).toContain(`\n  ${fact}`);
    expect(stdout).toContain('emulator, which ignores the prompt');
    expect(stdout).toContain('DASHSCOPE_API_KEY=sk-… npm run demo');
    const record = JSON.parse(readFileSync(/Record +(\S+)/.exec(stdout)![1]!, 'utf8')) as { input: { prompt: string } };
    expect(record.input.prompt).toContain('The scene comes to life');
    expect(record.input.prompt).not.toContain('sun');
  });

  test('names a missing file by its absolute path, resolved from the folder of the caller', async () => {
    const folder = await temporaryFolder();
    const { status, stderr } = await demo(folder, 'cat.jpg');
    expect(status).toBe(1);
    expect(stderr).toContain(path.join(folder, 'cat.jpg'));
    expect(stderr).toContain('The file does not exist.');
    expect(stderr).not.toMatch(/ENOENT|\n +at /);
    expect(existsSync(path.join(folder, 'state'))).toBe(false);
  });
});

describe('the image of the demo', () => {
  test('is rejected with all issues and a command that fixes them', async () => {
    const file = path.join(await temporaryFolder(), "the cat's.png");
    const image = png(2400, 1800);
    image[25] = 6; // The color type of a PNG with an alpha channel.
    await writeFile(file, Buffer.concat([image, Buffer.alloc(11 * 1024 * 1024)]));
    const error = await readImage(file, model).catch((error: Error) => error);
    const { message } = error as Error;
    for (const part of [file, '2400 × 1800', 'alpha', 'bytes']) expect(message).toContain(part);
    expect(message).toContain(`the cat'\\''s.png' -resize '2000x2000>' -background white -flatten '`);
  });

  test.each([
    ['a text', Buffer.from('not an image, but long enough to be read as one')],
    ['an empty file', Buffer.alloc(0)],
    ['an image that is still too narrow when scaled down', png(4000, 600)],
  ])('is rejected without one command for all issues if it is %s', async (_what, bytes) => {
    const file = path.join(await temporaryFolder(), 'image.png');
    await writeFile(file, bytes);
    await expect(readImage(file, model)).rejects.toThrow(file);
    await expect(readImage(file, model)).rejects.not.toThrow('With ImageMagick');
  });

  test('may not be a folder', async () => {
    const folder = await temporaryFolder();
    await expect(readImage(folder, model)).rejects.toThrow(`${folder}\nThis is a folder. Name an image in it.`);
  });
});

describe('the status line', () => {
  const record = (isTTY: boolean) => {
    const written: string[] = [];
    let time = 0;
    const output = { isTTY, columns: 40, write: (text: string) => written.push(text) > 0 };
    const status = createStatusLine(output, () => time);
    status.show('running', 10);
    time = 2000;
    status.show('running', 55);
    status.show('archiving and a text that is too long for the terminal', 90);
    status.clear();
    return written;
  };

  test('is updated in place in a terminal, and removed', () => {
    const written = record(true);
    expect(written).toHaveLength(4);
    expect(written[1]).toBe(`\r\x1b[2K   2 s  ${'█'.repeat(11)}${'░'.repeat(9)} 55 %  running`.slice(0, 44));
    expect(written.every((text) => text.startsWith('\r\x1b[2K') && !text.includes('\n'))).toBe(true);
    expect(written.every((text) => text.replace('\r\x1b[2K', '').length < 40)).toBe(true);
    expect(written.at(-1)).toBe('\r\x1b[2K');
  });

  test('is a plain line for each step elsewhere', () => {
    expect(record(false)).toEqual([
      '   0 s  running\n',
      '   2 s  archiving and a text that is too long for the terminal\n',
    ]);
  });
});
