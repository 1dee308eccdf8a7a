import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../service-error.ts';

/** More than any service here takes in one JSON call (DynamoDB: 16 MB). */
const largestBytes = 17 * 1024 * 1024;

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= largestBytes) chunks.push(chunk);
  }
  if (bytes > largestBytes)
    throw new ServiceError('RequestEntityTooLargeException', 413, 'The request is larger than 17 MiB.');
  return Buffer.concat(chunks, bytes);
}
