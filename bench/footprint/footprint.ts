import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeVideo } from '../../local/demo/make-video.ts';
import { sampleImage } from '../../local/demo/sample-image.ts';
import { readSettings } from '../../local/settings.ts';
import { startLocal } from '../../local/stack.ts';
import { checkBounds } from '../bounds.ts';
import { coveredBundles, filesThatRan, hasReturned } from './covered-bundles.ts';
import { countSources } from './source-lines.ts';

/**
 * `npm run bench -- footprint`: the files that a reader must open to follow a request, and the amount of code.
 * @returns whether every bound holds
 */
export async function footprint(): Promise<boolean> {
  await runOneVideo();
  const submit = await filesThatRan(['submit']);
  const whole = await filesThatRan(['authorize', 'submit', 'create-task', 'check-task', 'archive-video']);
  print('POST /videos with an inline image and an idempotency key', submit);
  print('Additional files from POST /videos to succeeded, including the authorizer', difference(whole, submit));

  const { functionFiles, lines, longest } = await countSources();
  console.log('\nLines of source, without blank lines, comments and tests');
  for (const [folder, count] of Object.entries(lines)) console.log(`  ${String(count).padStart(6)}  ${folder}`);
  // Each feature that every request passes through adds files: limits per owner, lists of media, the standards of HTTP.
  return checkBounds([
    { name: 'files of functions/ that POST /videos runs', value: submit.length, max: 47 },
    { name: 'files of functions/ that a video runs, from POST to succeeded', value: whole.length, max: 91 },
    { name: 'files in functions/', value: functionFiles, max: 224 },
    { name: `lines of the longest file in functions/ except tables (${longest.file})`, value: longest.lines, max: 250 },
  ]);
}

/** Makes one video on a local stack that records the coverage of its functions. */
async function runOneVideo(): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-footprint-'));
  const ports = { PORT: '0', WAN_PORT: '0', AWS_PORT: '0' };
  const settings = readSettings({ ...ports, LOCAL_DIR: directory, WAN_TASK_SECONDS: '1' });
  const stack = await startLocal(settings, { bundles: coveredBundles });
  try {
    const video = await makeVideo(
      { url: stack.api_url, api_key: settings.api_key },
      {
        model: 'wan2.2-i2v-flash',
        prompt: 'The sun sets',
        image: sampleImage(),
        content_type: 'image/png',
        idempotency_key: randomUUID(),
      },
      () => undefined,
      sleep,
    );
    await hasReturned('archive-video');
    if (video.status !== 'succeeded') throw new Error(`The video ended as ${video.status}: ${video.error?.message}`);
  } finally {
    await stack.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function print(title: string, files: readonly string[]): void {
  console.log(`\n${title}: ${files.length} files`);
  for (const file of files) console.log(`  ${file}`);
}

const difference = (all: readonly string[], without: readonly string[]): string[] =>
  all.filter((each) => !without.includes(each));
