import { connect } from 'node:net';
import { expect } from 'vitest';
import type { ApiDefinition } from '../../../../local/aws/api-gateway/api-definition.ts';
import { method, serve } from './serve-api.ts';

/** Every answer of the gateway's own is shaped like this one, so that a test can tell it from Node's and from a function's. */
const shaped = ['DEFAULT_4XX', 'DEFAULT_5XX', 'MISSING_AUTHENTICATION_TOKEN', 'REQUEST_TOO_LARGE'].map(
  (response_type) => ({
    response_type,
    templates: { 'application/json': '{"request_id":"$context.requestId"}' },
    parameters: {},
  }),
);

export const aServer = (
  api: Partial<ApiDefinition> = {},
  ...more: [Parameters<typeof serve>[1]?, Parameters<typeof serve>[2]?]
) =>
  serve(
    {
      methods: [
        method('/videos'),
        method('/videos', { http_method: 'POST' }),
        method('/videos/{id}'),
        method('/api/v1/{proxy+}', { http_method: 'ANY' }),
      ],
      gateway_responses: shaped,
      ...api,
    },
    ...more,
  );

export interface RawAnswer {
  status: number;
  head: string;
  body: string;
}

/**
 * Sends bytes as they are and gives everything that came back, once the connection is closed or as many answers as expected are
 * there. @param end whether the sender says that nothing more will come
 */
export async function raw(
  port: number,
  bytes: string | Buffer,
  { end = false, answers = 1 } = {},
): Promise<RawAnswer[]> {
  const chunks: Buffer[] = [];
  const text = () => Buffer.concat(chunks).toString('latin1');
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
      if (end) socket.end();
    });
    const done = () => {
      socket.destroy();
      resolve();
    };
    socket.setTimeout(8000, () => reject(new Error(`no answer, but: ${text()}`)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (parse(text()).length >= answers) done();
    });
    socket.on('close', done);
    socket.on('error', done);
  });
  return parse(text());
}

/** The whole answers in what was received. */
function parse(text: string): RawAnswer[] {
  const found: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const [, head = '', status = '', after = ''] = /^(HTTP\/1\.1 (\d+).*?)\r\n\r\n(.*)$/s.exec(rest) ?? [];
    if (head === '') return found;
    const length = status === '100' ? 0 : Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    if (after.length < length) return found;
    if (status !== '100') found.push({ status: Number(status), head, body: after.slice(0, length) });
    rest = after.slice(length);
  }
}

/** The type of an answer of the gateway's own. */
export const typeOf = (answer: RawAnswer | undefined): string | undefined =>
  JSON.parse(answer?.body || '{}').request_id && /^x-amzn-errortype: (\S+)/im.exec(answer!.head)?.[1];
export const get = (target: string, ...headers: string[]) =>
  [`GET ${target} HTTP/1.1`, 'Host: api.test:4400', ...headers, '', ''].join('\r\n');
export const post = (body: string, ...headers: string[]) =>
  `${['POST /videos HTTP/1.1', 'Host: api.test:4400', ...headers, '', ''].join('\r\n')}${body}`;

/** The next request is answered: whatever came before broke nothing. */
export async function isAlive({ port }: { port: number }): Promise<void> {
  expect((await raw(port, get('/videos')))[0]).toMatchObject({ status: 200, body: 'ok' });
}
