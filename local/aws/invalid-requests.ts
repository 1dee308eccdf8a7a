import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Why Node's parser rejected a request: its headers are too large, it arrived too slowly, it has an unsupported
 * `Expect` header, or it is not valid HTTP.
 */
export type InvalidRequestReason = 'headersTooLarge' | 'requestTimeout' | 'expectationFailed' | 'badRequest';

export interface RawResponse {
  status: number;
  headers: readonly (readonly [name: string, value: string])[];
  body: Buffer;
}

export type InvalidRequestHandler = (reason: InvalidRequestReason) => RawResponse;

/** A client may send for this long after the error response before its connection is destroyed. */
const lingerMilliseconds = 1000;

/** Sends a response for each request that Node's parser rejects, and closes the connection. */
export function handleInvalidRequests(server: Server, respond: InvalidRequestHandler): void {
  const lastResponse = new WeakMap<Duplex, ServerResponse>();
  server.prependListener('request', ({ socket }, response) => lastResponse.set(socket, response));

  server.on('clientError', (error: Error & { code?: string }, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const sendError = () => sendRaw(socket, respond(findReason(error)));
    const previous = lastResponse.get(socket);
    // A complete earlier request on the connection is answered first.
    if (previous?.req.complete && !previous.closed) previous.once('close', sendError);
    else sendError();
  });
  server.on('connect', (_, socket) => sendRaw(socket, respond('badRequest')));
  server.on('checkExpectation', (_, response) => {
    const { status, headers, body } = respond('expectationFailed');
    for (const [name, value] of headers) response.setHeader(name, value);
    response.writeHead(status, { connection: 'close', 'content-length': body.length }).end(body);
  });
}

function findReason({ code }: { code?: string }): InvalidRequestReason {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headersTooLarge';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'requestTimeout' : 'badRequest';
}

/** Writes a response to the socket, since Node creates no response object for an invalid request. */
function sendRaw(socket: Duplex, { status, headers, body }: RawResponse): void {
  if (!socket.writable) return;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]));
  // Closing a socket with unread data resets the connection, and a client that is still sending would lose the
  // response.
  socket.resume();
  socket.on('error', () => socket.destroy());
  setTimeout(() => socket.destroy(), lingerMilliseconds).unref();
}
