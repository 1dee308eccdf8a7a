import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { contentTypeOf, imageFormatOf } from '../functions/media/image.ts';
import type { VideoView } from '../functions/video/view.ts';
import { download, makeVideo } from './demo/make-video.ts';
import { sampleImage } from './demo/sample-image.ts';
import { readSettings } from './settings.ts';
import { startLocal } from './stack.ts';

const model = 'wan2.2-i2v-flash';
const usage = 'Usage: npm run demo [-- IMAGE "PROMPT"]';

/** The image that was named, or one that is drawn. */
async function readImage(file: string | undefined): Promise<{ image: Buffer; content_type: string; name: string }> {
  if (file === undefined)
    return { image: sampleImage(), content_type: 'image/png', name: 'a picture drawn for the demo' };
  const image = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file} can not be read (${error.code}). ${usage}`);
  });
  const format = imageFormatOf(image);
  if (!format) throw new Error(`${file} is no JPEG, PNG, BMP or WEBP picture.`);
  return { image, content_type: contentTypeOf(format), name: file };
}

/** One line for each piece of news. */
function reporter(): (video: VideoView) => void {
  const started = Date.now();
  return ({ status, progress }) => {
    const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(5);
    const done = Math.round(progress / 5);
    console.log(
      `  ${seconds} s  ${'█'.repeat(done)}${'░'.repeat(20 - done)} ${String(progress).padStart(3)} %  ${status}`,
    );
  };
}

async function demo([file, ...words]: string[]): Promise<void> {
  const { image, content_type, name } = await readImage(file);
  const prompt = words.join(' ') || 'The sun sets behind the hills while the clouds drift by';
  // The demo never costs money: it has an emulator and a folder of its own, whatever is set for `npm start`.
  const { LOCAL_DIR = '.local/demo', WAN_TASK_SECONDS } = process.env;
  const ports = { PORT: '0', WAN_PORT: '0', AWS_PORT: '0' };
  const settings = readSettings({ ...ports, LOCAL_DIR, WAN_TASK_SECONDS });
  const stack = await startLocal(settings);
  try {
    console.log(
      `\n  firstframe at ${stack.api_url}, all of it on this machine\n\n  ${model}: ${name}\n  "${prompt}"\n`,
    );
    const endpoint = { url: stack.api_url, api_key: settings.api_key };
    const video = await makeVideo(endpoint, { model, prompt, image, content_type }, reporter(), sleep);
    if (video.status !== 'succeeded') throw new Error(`${video.error?.message} ${video.error?.hint}`);
    const saved = await download(endpoint, video.id, path.join(settings.directory, 'videos'));
    console.log(`\n  The record:\n\n${indent(JSON.stringify(video, null, 2))}\n\n  The video:\n\n  ${saved}\n`);
  } finally {
    await stack.close();
  }
}

const indent = (text: string): string => text.replace(/^/gm, '  ');

try {
  await demo(process.argv.slice(2));
  process.exit(0);
} catch (error) {
  console.error(`\n  ${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
