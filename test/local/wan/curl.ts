import { execFile, execFileSync } from 'node:child_process';
import { request } from 'node:http';
import { promisify } from 'node:util';

/** A command line of curl, as a shell reads it; `$DASHSCOPE_API_KEY` is the key. */
export type Command = string;

const hasCurl = (() => {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/**
 * Runs a command line of curl in a shell and says the JSON that came back. Where there is no curl, the request that the
 * command stands for is sent with the same headers and the same bytes.
 */
// biome-ignore lint/suspicious/noExplicitAny: answers are asserted member by member
export async function curl(command: Command, key = 'sk-test'): Promise<any> {
  if (!hasCurl) return JSON.parse(await send(command.replaceAll('$DASHSCOPE_API_KEY', key)));
  const env = { PATH: process.env.PATH, DASHSCOPE_API_KEY: key, no_proxy: '*' };
  const { stdout } = await promisify(execFile)('sh', ['-c', command.replace(/^curl /, 'curl --silent ')], { env });
  return JSON.parse(stdout);
}

function send(command: string): Promise<string> {
  const url = /https?:\/\/[^\s']+/.exec(command)?.[0] ?? '';
  const body = /-d '([\s\S]*)'$/.exec(command)?.[1];
  const headers = Object.fromEntries(
    [...command.matchAll(/(?:-H|--header) (['"])([\w-]+): (.*?)\1/g)].map(([, , name = '', value]) => [name, value]),
  );
  return new Promise((resolve, reject) => {
    request(url, { method: body ? 'POST' : 'GET', headers: { ...headers, accept: '*/*' } }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve(Buffer.concat(chunks).toString('utf8'));
    })
      .on('error', reject)
      .end(body);
  });
}
