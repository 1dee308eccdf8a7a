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
  /** In the client's own order and case. */
  headers: readonly (readonly [name: string, value: string])[];
  source_ip: string;
  protocol: string;
  body: Buffer;
}

/** A REST API's limits: 10 MB of payload, 10,240 bytes of request line and headers. */
export const largestBodyBytes = 10 * 1024 * 1024;
export const largestHeaderBytes = 10_240;

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

export function headerPairs(incoming: IncomingMessage): [name: string, value: string][] {
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
