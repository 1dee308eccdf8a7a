import { createHash, createHmac } from 'node:crypto';
import { credentials, region } from './start-s3.ts';

export interface RawRequest {
  method?: string;
  /** Path and query, percent-encoded. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** `x-amz-content-sha256`. @default the body's SHA-256 */
  payload?: string;
  /** Milliseconds since 1970. @default the current time */
  time?: number;
  accessKeyId?: string;
  secret?: string;
  /** Unsigned headers. */
  unsigned?: Record<string, string>;
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
export const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');

export function signingKey(day: string, secret = credentials.secretAccessKey): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), 's3'), 'aws4_request');
}

export const amzDate = (time: number) => new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '');

/** Signs a request by hand, independently of the SDK and the server. */
export function signed(endpoint: string, request: RawRequest) {
  const { method = 'GET', path, body = '' } = request;
  const date = amzDate(request.time ?? Date.now());
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const payload = request.payload ?? sha256(body);
  const headers: Record<string, string> = {
    ...request.headers,
    host: new URL(endpoint).host,
    'x-amz-content-sha256': payload,
    'x-amz-date': date,
  };
  const names = Object.keys(headers).sort();
  const [rawPath = '', query = ''] = path.split('?');
  const pairs = query
    .split('&')
    .filter(Boolean)
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort();
  const canonical = [
    method,
    rawPath,
    pairs.join('&'),
    ...names.map((name) => `${name}:${headers[name]?.trim()}`),
    '',
    names.join(';'),
    payload,
  ].join('\n');
  const key = signingKey(date.slice(0, 8), request.secret);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`).toString('hex');
  const credential = `${request.accessKeyId ?? credentials.accessKeyId}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { method, headers: { ...headers, authorization, ...request.unsigned }, body, signature, date, scope, key };
}

export interface RawResponse {
  status: number;
  headers: Headers;
  text: string;
  /** The error document's code. */
  code: string | undefined;
}

export async function send(endpoint: string, request: RawRequest): Promise<RawResponse> {
  const { method, headers, body } = signed(endpoint, request);
  const { host: _host, ...sent } = headers as Record<string, string>;
  const init = method === 'GET' || method === 'HEAD' ? {} : { body: body as string };
  return readResponse(
    await fetch(`${endpoint}${request.path}`, { method, headers: sent, redirect: 'manual', ...init }),
  );
}

export async function readResponse(response: Response): Promise<RawResponse> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, code: /<Code>(\w+)<\/Code>/.exec(text)?.[1] };
}
