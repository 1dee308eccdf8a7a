import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** A request as the API sees it, before anything is decided. */
export interface ApiRequest {
  request_id: string;
  /** Milliseconds since 1970. */
  received_at: number;
  http_method: string;
  /** As sent: still percent-encoded. */
  path: string;
  query: URLSearchParams;
  /** As sent: still percent-encoded, without the question mark. */
  query_string: string;
  /** In the client's own order and case. */
  headers: readonly (readonly [name: string, value: string])[];
  /** The name and port it was sent to. */
  host: string;
  source_ip: string;
  protocol: string;
  body: Buffer;
}

/** A REST API's limits: 10 MB of payload, 10,240 bytes of request line and headers. */
const largestBodyBytes = 10 * 1024 * 1024;
export const largestHeaderBytes = 10_240;

/** All but the body. */
export function readHead(incoming: IncomingMessage, received_at: number): ApiRequest {
  // The target may be a whole URL, as for a proxy.
  const target = (incoming.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '');
  const [path = '', query_string = ''] = target.split(/\?(.*)/s);
  const { remoteAddress = '', localAddress, localPort } = incoming.socket;
  return {
    request_id: randomUUID(),
    received_at,
    http_method: incoming.method ?? 'GET',
    path: path || '/',
    query: new URLSearchParams(query_string),
    query_string,
    headers: headerPairs(incoming),
    host: incoming.headers.host || `${localAddress}:${localPort}`,
    source_ip: remoteAddress,
    protocol: `HTTP/${incoming.httpVersion}`,
    body: Buffer.alloc(0),
  };
}

/** Whether a request's line and its Host header are as HTTP wants them: one host, a path, every percent sign with two digits. */
export function isWellFormed({ path, query_string, headers, protocol }: ApiRequest): boolean {
  const hosts = headers.filter(([name]) => name.toLowerCase() === 'host').length;
  const isHostRight = hosts === 1 || (hosts === 0 && protocol === 'HTTP/1.0');
  return isHostRight && path.startsWith('/') && !/%(?![0-9A-Fa-f]{2})/.test(`${path}?${query_string}`);
}

/** All of a body, or undefined as soon as it is larger than a REST API takes. The rest is read and thrown away. */
export async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= largestBodyBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes <= largestBodyBytes ? Buffer.concat(chunks, bytes) : undefined;
}

function headerPairs(incoming: IncomingMessage): [name: string, value: string][] {
  const raw = incoming.rawHeaders;
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2]!, raw[index * 2 + 1]!]);
}

export function headerBytes(incoming: IncomingMessage): number {
  const line = `${incoming.method} ${incoming.url} HTTP/1.1`;
  return incoming.rawHeaders.reduce((bytes, text) => bytes + Buffer.byteLength(text), Buffer.byteLength(line));
}

/** A header's last value, whatever its case. */
export function header(request: Pick<ApiRequest, 'headers'>, name: string): string | undefined {
  return request.headers.findLast(([candidate]) => candidate.toLowerCase() === name.toLowerCase())?.[1];
}
