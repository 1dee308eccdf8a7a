import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex, Readable } from 'node:stream';

/** Reads the body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Returns a copy of a request whose body can be read again. */
export function replay(request: IncomingMessage, body: Buffer): IncomingMessage {
  const { method, url, headers, rawHeaders, httpVersion, socket } = request;
  const copy = Readable.from(body.length > 0 ? [body] : [], { objectMode: false });
  return Object.assign(copy, { method, url, headers, rawHeaders, httpVersion, socket }) as unknown as IncomingMessage;
}

/** Returns a response that is discarded. */
export function discardedResponse(request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  const sink = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  response.assignSocket(sink as unknown as Socket);
  return response;
}
