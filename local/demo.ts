import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createStatusLine } from './demo/status-line.ts';

const modelName = 'wan2.2-i2v-flash';
const sample = { name: 'a drawing of a sunset', prompt: 'The sun sets behind the hills while the clouds drift by' };
/** For an image of the user. */
const neutralPrompt = 'The scene comes to life with slow, natural motion; the camera hardly moves';

async function demo([name, ...words]: string[]): Promise<void> {
  const { INIT_CWD, LOCAL_DIR, WAN_TASK_SECONDS, DASHSCOPE_API_KEY, WAN_BASE_URL } = process.env;
  // npm changes to the folder of the project; INIT_CWD is the folder where it was called.
  const file = name === undefined ? undefined : path.resolve(INIT_CWD ?? '.', name);
  const prompt = words.join(' ') || (file === undefined ? sample.prompt : neutralPrompt);
  print('', `Image    ${file ?? sample.name}`, `Prompt   ${prompt}`, `Wan      ${wanOf(DASHSCOPE_API_KEY)}`, '');

  const statusLine = createStatusLine(process.stdout);
  statusLine.show('Loading the code');
  // After the first lines, because loading takes seconds.
  const [
    { makeVideo, save },
    { readImage },
    { sampleImage },
    { findModel },
    { readSettings },
    { startLocal },
    { wanKeyIssue },
  ] = await Promise.all([
    import('./demo/make-video.ts'),
    import('./demo/read-image.ts'),
    import('./demo/sample-image.ts'),
    import('../functions/wan/catalogue.ts'),
    import('./settings.ts'),
    import('./stack.ts'),
    import('./wan-key.ts'),
  ]);
  try {
    const image =
      file === undefined
        ? { bytes: sampleImage(), content_type: 'image/png' }
        : await readImage(file, findModel(modelName));
    // Free ports and a folder of its own, so that it can run next to `npm start`.
    const directory = LOCAL_DIR || `.local/demo${DASHSCOPE_API_KEY ? '-real' : ''}`;
    const settings = readSettings({
      ...{ PORT: '0', WAN_PORT: '0', AWS_PORT: '0', LOCAL_DIR: directory },
      ...{ WAN_TASK_SECONDS, DASHSCOPE_API_KEY, WAN_BASE_URL },
    });
    const keyIssue = await wanKeyIssue(settings);
    if (keyIssue) throw new Error(keyIssue);
    statusLine.show('Building the stack and starting it on this machine');
    const stack = await startLocal(settings);
    try {
      const started = Date.now();
      const endpoint = { url: stack.api_url, api_key: settings.api_key };
      const request = { model: modelName, prompt, image: image.bytes, content_type: image.content_type };
      const video = await makeVideo(
        endpoint,
        request,
        ({ status, progress }) => statusLine.show(status, progress),
        sleep,
      );
      if (video.status !== 'succeeded') throw new Error(`${video.error?.message} ${video.error?.hint}`);
      const seconds = Math.round((Date.now() - started) / 1000);
      const saved = await save(endpoint, video, path.join(settings.directory, 'videos'));
      statusLine.clear();
      const { width, height, duration_seconds } = video.video!;
      print(
        '',
        `Model    ${video.model}`,
        `Size     ${width} × ${height} (${video.parameters.resolution})`,
        `Length   ${duration_seconds} s`,
        `Cost     ${video.cost ? `${video.cost.amount} ${video.cost.currency}` : 'unknown'}${DASHSCOPE_API_KEY ? '' : ' at Wan; the emulator is free'}`,
        `Took     ${seconds} s`,
        `Record   ${saved.record}`,
        '',
        ...(DASHSCOPE_API_KEY ? [] : emulated),
        saved.file,
      );
    } finally {
      await stack.close();
    }
  } finally {
    statusLine.clear();
  }
}

const wanOf = (key: string | undefined): string =>
  key
    ? 'the real service, with DASHSCOPE_API_KEY: this video costs money'
    : 'an emulator on this machine, free of charge';

const emulated = [
  'This video is a pan and zoom by an emulator, which ignores the prompt. Videos by Wan itself, with a',
  'key of Alibaba Cloud Model Studio, which is billed for them:',
  '',
  '  DASHSCOPE_API_KEY=sk-… npm run demo',
  '  DASHSCOPE_API_KEY=sk-… npm start',
  '',
];

const print = (...lines: string[]): void =>
  console.log(lines.map((line) => (line === '' ? '' : `  ${line}`)).join('\n'));

try {
  await demo(process.argv.slice(2));
  process.exit(0);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`\n${message.replace(/^/gm, '  ')}\n`);
  process.exit(1);
}
