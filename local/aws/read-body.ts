import type { IncomingMessage } from 'node:http';

/** Reads a request's body. Returns undefined if it has more than `limit` bytes; the excess is read and discarded. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= limit) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes <= limit ? Buffer.concat(chunks, bytes) : undefined;
}
