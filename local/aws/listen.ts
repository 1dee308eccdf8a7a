import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { handleInvalidRequests, type InvalidRequestHandler } from './invalid-requests.ts';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface Listener {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /**
   * Sets the request handler. Earlier requests have waited for it.
   * @param respond handles requests that Node's parser rejects. @default Node's own response
   */
  serve(handler: RequestHandler, respond?: InvalidRequestHandler): void;
  close(): Promise<void>;
}

/** Longer than the AWS SDK keeps a connection open, so it never sends on a connection that is being closed. */
const keepAliveTimeout = 120_000;

/**
 * Opens a port of 127.0.0.1 before there is a handler, so that the port number is known early.
 * @param port 0 for any free port
 * @param variable the environment variable that the error message names when the port is not available
 */
export async function listen(port: number, variable: string, options: ServerOptions = {}): Promise<Listener> {
  let serve!: (handler: RequestHandler) => void;
  const handler = new Promise<RequestHandler>((resolve) => {
    serve = resolve;
  });
  const server = createServer({ keepAliveTimeout, ...options }, async (request, response) => {
    await (await handler)(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portError(error, port, variable)));
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve(handler, respond) {
      if (respond) handleInvalidRequests(server, respond);
      serve(handler);
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Describes how to fix an unavailable port. Returns other errors unchanged. */
export function portError(error: unknown, port: number, variable: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EADDRINUSE' && code !== 'EACCES') return error;
  const reason = code === 'EADDRINUSE' ? 'in use' : 'not allowed';
  return new Error(`Port ${port} is ${reason}. Set ${variable} to another one (0 takes any free port).`);
}
