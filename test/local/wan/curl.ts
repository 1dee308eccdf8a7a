import { execFile, execFileSync } from 'node:child_process';
import { request } from 'node:http';
import { promisify } from 'node:util';

/** A shell command that runs curl; `$DASHSCOPE_API_KEY` is the key. */
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
 * Runs a curl command in a shell and returns the JSON of the response. Without curl on the machine, sends an equal request
 * with the same headers and bytes.
 */
// biome-ignore lint/suspicious/noExplicitAny: responses are asserted member by member
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
