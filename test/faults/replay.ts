import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex, Readable } from 'node:stream';

/** The body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A request as it came, to be read once more. */
export function again(request: IncomingMessage, body: Buffer): IncomingMessage {
  const { method, url, headers, rawHeaders, httpVersion, socket } = request;
  const copy = Readable.from(body.length > 0 ? [body] : [], { objectMode: false });
  return Object.assign(copy, { method, url, headers, rawHeaders, httpVersion, socket }) as unknown as IncomingMessage;
}

/** A response that nobody gets. */
export function intoNothing(request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  const sink = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  response.assignSocket(sink as unknown as Socket);
  return response;
}
