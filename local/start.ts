import path from 'node:path';
import { deletedStateIn } from './deleted-state.ts';
import { readSettings } from './settings.ts';
import { type LocalStack, startLocal } from './stack.ts';
import { wanKeyIssue } from './wan-key.ts';

const started = performance.now();

function welcome({ api_url, aws_url, wan_url, directory, runtime }: LocalStack, apiKey: string): string {
  const outputs = runtime.stack.outputs as { UploadsBucketName: string };
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const folder = path.relative(process.cwd(), directory) || '.';
  const withKey = `-H 'Authorization: Bearer ${apiKey}'`;
  const wan = wan_url
    ? `${wan_url}   (an emulator)`
    : 'the real service, with DASHSCOPE_API_KEY: every video costs money';
  return `
  firstframe is up in ${seconds} s

  Open ${api_url} and enter the key ${apiKey}
${
  wan_url
    ? `
  Videos are emulated: a pan and zoom over the image, which ignores the prompt.
  For videos by Wan, billed to your key: DASHSCOPE_API_KEY=sk-… npm start
`
    : ''
}
  API      ${api_url}   (console and API)
  Wan      ${wan}
  AWS      ${aws_url}   (access key local, secret local)
  State    ${folder}   (survives a restart; delete it to start over)

  Make a video:

    printf '{"model":"wan2.2-i2v-flash","input":{"prompt":"The scene comes to life","img_url":"data:image/jpeg;base64,%s"}}' \\
      "$(base64 < photo.jpg | tr -d '\\n')" | curl -d @- ${withKey} -H 'Content-Type: application/json' ${api_url}/videos
    curl ${withKey} ${api_url}/videos

  Or drop an image:

    AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1 \\
      aws s3 cp photo.jpg s3://${outputs.UploadsBucketName}/drop/photo.jpg --endpoint-url ${aws_url}

  Ctrl-C stops it. Running videos continue at the next start.
`;
}

try {
  const settings = readSettings(process.env);
  console.log('Building the stack and starting it on this machine…');
  const [stack, keyIssue] = await Promise.all([startLocal(settings), wanKeyIssue(settings)]);
  console.log(welcome(stack, settings.api_key));
  if (keyIssue) console.error(`  Videos will stay queued: ${keyIssue}\n`);
  const deletedState = deletedStateIn(settings.directory);
  const endIfDeleted = (error?: unknown) => {
    const message = deletedState(error);
    if (message === undefined) return;
    console.error(`\n  ${message}\n`);
    process.exit(1);
  };
  setInterval(endIfDeleted, 1000).unref();
  process.on('uncaughtException', (error) => {
    endIfDeleted(error);
    console.error(error);
    process.exit(1);
  });
  const stop = async () => {
    // Without these listeners a second signal ends the process immediately.
    for (const signal of signals) process.removeListener(signal, stop);
    await stack.close();
    process.exit();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, stop);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
