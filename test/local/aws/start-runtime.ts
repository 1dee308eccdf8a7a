import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../local/aws/clock.ts';
import type { AwsCall } from '../../../local/aws/endpoint/aws-call.ts';
import { listen } from '../../../local/aws/listen.ts';
import { createRuntime } from '../../../local/aws/runtime.ts';
import type { Template } from '../../../local/aws/template/template.ts';
import { smallTemplate } from './small-template.ts';
import { temporaryDirectory, writeFunction } from './support.ts';

/** A function that posts its events to the test. */
export async function notes() {
  const received: Record<string, unknown>[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return {
    received,
    code: `exports.handler = async (event) => { await fetch('${url}', { method: 'POST', body: JSON.stringify(event) }); return { statusCode: 200, body: JSON.stringify(event), id: event.id } }`,
  };
}

/** Runs and serves the small template, and closes it after the test. */
export async function running(options: { directory?: string; code?: string; template?: Template } = {}) {
  const directory = options.directory ?? temporaryDirectory();
  const codeDirectory = await writeFunction(
    directory,
    'main',
    options.code ?? 'exports.handler = async () => ({ statusCode: 200 })',
  );
  const listener = await listen(0, 'AWS_PORT');
  onTestFinished(() => listener.close());
  const calls: AwsCall[] = [];
  const runtime = await createRuntime({
    template: options.template ?? smallTemplate,
    codeDirectory: () => codeDirectory,
    directory,
    clock: systemClock,
    endpoint_url: listener.url,
    secret_value: 'sk-local',
    recordCall: (call) => calls.push(call),
  });
  listener.serve(runtime.endpoint);
  await runtime.resume();
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await runtime.stop();
    await runtime.close();
  };
  onTestFinished(close);
  const client = {
    endpoint: listener.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  return { directory, calls, client, close, url: listener.url };
}
