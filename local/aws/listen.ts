import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerUnreadable, type Refusal } from './unreadable.ts';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface Listener {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /**
   * Who answers. Requests that came earlier have waited.
   * @param refuse answers what is no request that Node could read. @default Node's own words
   */
  serve(handler: RequestHandler, refuse?: Refusal): void;
  close(): Promise<void>;
}

/** Longer than the AWS SDK keeps a connection, so that it never sends on one that is being closed. */
const keepAliveMilliseconds = 120_000;

/**
 * Opens a port of the loopback address at once, so that its number is known before there is anything to serve.
 * @param port 0 takes any free one
 * @param variable the setting that the error names when the port is taken
 */
export async function listen(port: number, variable: string, options: ServerOptions = {}): Promise<Listener> {
  let serve!: (handler: RequestHandler) => void;
  const handler = new Promise<RequestHandler>((resolve) => {
    serve = resolve;
  });
  const server = createServer({ keepAliveTimeout: keepAliveMilliseconds, ...options }, async (request, response) => {
    await (await handler)(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portProblem(error, port, variable)));
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve(handler, refuse) {
      if (refuse) answerUnreadable(server, refuse);
      serve(handler);
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The error of a server that could not listen, in words that help where it was the port's fault. */
export function portProblem(error: unknown, port: number, variable: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EADDRINUSE' && code !== 'EACCES') return error;
  const why = code === 'EADDRINUSE' ? 'in use' : 'not allowed';
  return new Error(`Port ${port} is ${why}. Set ${variable} to another one (0 takes any free port).`);
}
