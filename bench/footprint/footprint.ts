import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeVideo } from '../../local/demo/make-video.ts';
import { sampleImage } from '../../local/demo/sample-image.ts';
import { readSettings } from '../../local/settings.ts';
import { startLocal } from '../../local/stack.ts';
import { judge } from '../verdict.ts';
import { coveredBundles, filesThatRan, hasReturned } from './covered-bundles.ts';
import { countSources } from './source-lines.ts';

/** What one must open to follow a request, and how much code there is. Bounds that keep the code base readable. */
export async function footprint(): Promise<boolean> {
  await runOneVideo();
  const submit = await filesThatRan(['submit']);
  const whole = await filesThatRan(['authorize', 'submit', 'create-task', 'check-task', 'archive-video']);
  print('POST /videos with an inline image and an idempotency key', submit);
  print('From POST /videos to succeeded, authorizer included: also', difference(whole, submit));

  const { functionFiles, lines, longest } = await countSources();
  console.log('\nLines of source, without blank lines, comments and tests');
  for (const [folder, count] of Object.entries(lines)) console.log(`  ${String(count).padStart(6)}  ${folder}`);
  return judge([
    { what: 'files of functions/ that POST /videos runs', figure: submit.length, most: 38 },
    { what: 'files of functions/ that a video runs, from POST to succeeded', figure: whole.length, most: 80 },
    { what: 'files in functions/', figure: functionFiles, most: 190 },
    { what: `lines of the longest file in functions/ but tables (${longest.file})`, figure: longest.lines, most: 250 },
    { what: 'lines of source in all', figure: lines.all!, most: 30_186 },
  ]);
}

/** Makes one video on a local stack whose functions count what of them runs. */
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
