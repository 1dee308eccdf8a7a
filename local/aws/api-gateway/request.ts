import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** A request, before routing and authorization. */
export interface ApiRequest {
  request_id: string;
  /** Milliseconds since 1970. */
  received_at: number;
  http_method: string;
  /** Percent-encoded, as sent. */
  path: string;
  query: URLSearchParams;
  /** Percent-encoded, as sent, without the question mark. */
  query_string: string;
  /** In the client's order and case. */
  headers: readonly (readonly [name: string, value: string])[];
  /** Host name and port. */
  host: string;
  source_ip: string;
  protocol: string;
  body: Buffer;
}

/** The limits of a REST API: 10 MB of body, 10,240 bytes of request line and headers. */
export const maxBodyBytes = 10 * 1024 * 1024;
export const maxHeaderBytes = 10_240;

/** Reads everything but the body. */
export function readHead(incoming: IncomingMessage, received_at: number): ApiRequest {
  // The request target may be an absolute URL.
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

/** Whether the request line and Host header are valid: one host, an absolute path, only complete percent-encodings. */
export function isWellFormed({ path, query_string, headers, protocol }: ApiRequest): boolean {
  const hosts = headers.filter(([name]) => name.toLowerCase() === 'host').length;
  const hasValidHost = hosts === 1 || (hosts === 0 && protocol === 'HTTP/1.0');
  return hasValidHost && path.startsWith('/') && !/%(?![0-9A-Fa-f]{2})/.test(`${path}?${query_string}`);
}

function headerPairs(incoming: IncomingMessage): [name: string, value: string][] {
  const raw = incoming.rawHeaders;
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2]!, raw[index * 2 + 1]!]);
}

export function headerBytes(incoming: IncomingMessage): number {
  const requestLine = `${incoming.method} ${incoming.url} HTTP/1.1`;
  return incoming.rawHeaders.reduce((bytes, text) => bytes + Buffer.byteLength(text), Buffer.byteLength(requestLine));
}

/** Returns a header's last value. The name is case-insensitive. */
export function header(request: Pick<ApiRequest, 'headers'>, name: string): string | undefined {
  return request.headers.findLast(([candidate]) => candidate.toLowerCase() === name.toLowerCase())?.[1];
}
