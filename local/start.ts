import path from 'node:path';
import { readSettings } from './settings.ts';
import { type LocalStack, startLocal } from './stack.ts';

const started = performance.now();

function welcome({ api_url, aws_url, wan_url, directory, runtime }: LocalStack, apiKey: string): string {
  const outputs = runtime.stack.outputs as { UploadsBucketName: string };
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const folder = path.relative(process.cwd(), directory) || '.';
  const withKey = `-H 'Authorization: Bearer ${apiKey}'`;
  return `
  firstframe is up in ${seconds} s

  API      ${api_url}   (in a browser: the console)
  Wan      ${wan_url ?? 'the real one: every video costs money'}
  AWS      ${aws_url}   (access key local, secret local)
  State    ${folder}   (kept when this ends; delete it to begin anew)

  A video from a picture:

    printf '{"model":"wan2.2-i2v-flash","input":{"prompt":"The scene comes to life","img_url":"data:image/jpeg;base64,%s"}}' \\
      "$(base64 < photo.jpg | tr -d '\\n')" | curl -d @- ${withKey} -H 'Content-Type: application/json' ${api_url}/videos
    curl ${withKey} ${api_url}/videos

  Or drop one:

    AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1 \\
      aws s3 cp photo.jpg s3://${outputs.UploadsBucketName}/drop/photo.jpg --endpoint-url ${aws_url}

  Ctrl-C ends it. What is under way goes on at the next start.
`;
}

try {
  const settings = readSettings(process.env);
  const stack = await startLocal(settings);
  console.log(welcome(stack, settings.api_key));
  const end = async () => {
    // A second signal does what it would have done: it ends the process at once.
    for (const signal of signals) process.removeListener(signal, end);
    await stack.close();
    process.exit();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, end);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
