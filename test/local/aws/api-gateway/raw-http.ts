import { connect } from 'node:net';
import { expect } from 'vitest';
import type { ApiDefinition } from '../../../../local/aws/api-gateway/api-definition.ts';
import { method, serve } from './serve-api.ts';

/** The template's gateway response, which distinguishes the gateway's own responses from Node's and a function's. */
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

export interface RawResponse {
  status: number;
  head: string;
  body: string;
}

/**
 * Sends raw bytes. Returns the responses when the connection is closed or the expected number has arrived.
 * @param end whether to half-close the connection after sending
 */
export async function raw(
  port: number,
  bytes: string | Buffer,
  { end = false, responses = 1 } = {},
): Promise<RawResponse[]> {
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
    socket.setTimeout(8000, () => reject(new Error(`no response, only: ${text()}`)));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (parse(text()).length >= responses) done();
    });
    socket.on('close', done);
    socket.on('error', done);
  });
  return parse(text());
}

/** Parses the complete responses in the received text. */
function parse(text: string): RawResponse[] {
  const found: RawResponse[] = [];
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

/** The response type of a gateway response. */
export const typeOf = (response: RawResponse | undefined): string | undefined =>
  JSON.parse(response?.body || '{}').request_id && /^x-amzn-errortype: (\S+)/im.exec(response!.head)?.[1];
export const get = (target: string, ...headers: string[]) =>
  [`GET ${target} HTTP/1.1`, 'Host: api.test:4400', ...headers, '', ''].join('\r\n');
export const post = (body: string, ...headers: string[]) =>
  `${['POST /videos HTTP/1.1', 'Host: api.test:4400', ...headers, '', ''].join('\r\n')}${body}`;

/** Verifies that the server still handles requests. */
export async function isAlive({ port }: { port: number }): Promise<void> {
  expect((await raw(port, get('/videos')))[0]).toMatchObject({ status: 200, body: 'ok' });
}
