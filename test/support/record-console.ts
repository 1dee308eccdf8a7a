import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import ffmpeg from '@ffmpeg-installer/ffmpeg';
import { sampleImage } from '../../local/demo/sample-image.ts';
import { readSettings } from '../../local/settings.ts';
import { startLocal } from '../../local/stack.ts';
import { openBrowser } from './browser.ts';

/*
 * Records the README's animation: the console makes one video against the local stack, from the key to the player.
 *   npx tsx test/support/record-console.ts
 */
const target = path.resolve(import.meta.dirname, '../../docs/console.webp');
const viewport = { width: 1080, height: 790 };
/** Milliseconds from one frame to the next; the last one stays longer before the loop. */
const pace = 160;
const lastFrame = 1500;

const folder = await mkdtemp(path.join(tmpdir(), 'firstframe-recording-'));
const stack = await startLocal(
  readSettings({
    PORT: '0',
    WAN_PORT: '0',
    AWS_PORT: '0',
    LOCAL_DIR: path.join(folder, 'state'),
    WAN_TASK_SECONDS: '5',
  }),
);
const browser = await openBrowser();
try {
  const page = await browser.newPage({ viewport });
  await page.goto(stack.api_url);
  const frames: string[] = [];
  const capture = async (milliseconds: number): Promise<void> => {
    for (const until = Date.now() + milliseconds; Date.now() < until; ) {
      const next = sleep(pace);
      const file = path.join(folder, `${String(frames.length).padStart(4, '0')}.png`);
      await page.screenshot({ path: file });
      frames.push(file);
      await next;
    }
  };
  await capture(600);
  await page.fill('#key', 'local');
  await capture(400);
  await page.click('#key-use');
  await capture(800);
  await page.setInputFiles('input[type=file]', { name: 'hills.png', mimeType: 'image/png', buffer: sampleImage() });
  await capture(800);
  for (const word of 'The camera glides slowly over the hills while the light turns golden.'.split(/(?<= )/)) {
    await page.locator('#prompt').pressSequentially(word);
    await capture(1);
  }
  await capture(600);
  await page.click('#composer button[type=submit]');
  const video = page.locator('#list video').first();
  await page.evaluate('scrollTo(0, 0)');
  while (!(await video.isVisible()) && !(await page.locator('#list video + button').first().isVisible()))
    await capture(1);
  await capture(500);
  await page.locator('#list video + button').first().click();
  await capture(5000);

  const durations = frames.map((file, index) => {
    const seconds = (index === frames.length - 1 ? lastFrame : pace) / 1000;
    return `file '${file}'\nduration ${seconds}`;
  });
  const list = path.join(folder, 'frames.txt');
  await writeFile(list, `${durations.join('\n')}\nfile '${frames.at(-1)}'\n`);
  const encoding = ['-c:v', 'libwebp_anim', '-q:v', '85', '-compression_level', '6', '-loop', '0'];
  const input = ['-f', 'concat', '-safe', '0', '-i', list];
  execFileSync(ffmpeg.path, ['-v', 'error', '-y', ...input, '-vf', 'scale=900:-1:flags=lanczos', ...encoding, target]);
  console.log(`Wrote ${path.relative(process.cwd(), target)}: ${frames.length} frames`);
} finally {
  await browser.close();
  await stack.close();
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);
