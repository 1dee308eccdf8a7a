import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Why there is no request to hand on: its head has no end, it came too slowly, it expects what nobody does, or it is no HTTP. */
export type Unreadable = 'headers too large' | 'too slow' | 'expectation' | 'malformed';

export interface WireAnswer {
  status: number;
  headers: readonly (readonly [name: string, value: string])[];
  body: Buffer;
}

export type Refusal = (reason: Unreadable) => WireAnswer;

/** How long a client that was refused may go on sending before its connection is cut. */
const lingerMilliseconds = 1000;

/** Answers, in a server's own words, what Node's parser refuses; each time the connection ends with the answer. */
export function answerUnreadable(server: Server, refuse: Refusal): void {
  const latest = new WeakMap<Duplex, ServerResponse>();
  server.prependListener('request', ({ socket }, response) => latest.set(socket, response));

  server.on('clientError', (error: Error & { code?: string }, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const answer = () => send(socket, refuse(reasonOf(error)));
    const earlier = latest.get(socket);
    // What comes before it in the connection is answered first; a request that it broke off is not.
    if (earlier?.req.complete && !earlier.closed) earlier.once('close', answer);
    else answer();
  });
  server.on('connect', (_, socket) => send(socket, refuse('malformed')));
  server.on('checkExpectation', (_, response) => {
    const { status, headers, body } = refuse('expectation');
    for (const [name, value] of headers) response.setHeader(name, value);
    response.writeHead(status, { connection: 'close', 'content-length': body.length }).end(body);
  });
}

function reasonOf({ code }: { code?: string }): Unreadable {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers too large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'too slow' : 'malformed';
}

/** Writes an answer by hand: there is no request that Node would answer. */
function send(socket: Duplex, { status, headers, body }: WireAnswer): void {
  if (!socket.writable) return;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]));
  // Closing at once, with something unread, would reset the connection and take the answer from who is still sending.
  socket.resume();
  socket.on('error', () => socket.destroy());
  setTimeout(() => socket.destroy(), lingerMilliseconds).unref();
}
