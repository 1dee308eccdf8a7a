import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refuse } from './errors.ts';
import { type Answer, refused, type WanRequest } from './http.ts';
import { createLimits } from './limits.ts';
import { openRenderer } from './render/render.ts';
import { createRoutes } from './routes.ts';
import { createSettler } from './settle.ts';
import { openStore } from './store.ts';
import { openUploads } from './uploads.ts';

export interface WanOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Where tasks, inputs and videos are kept; made if missing. Nothing else may use it. */
  readonly directory: string;
  /** How long a task runs unless its prompt says otherwise. */
  readonly taskSeconds: number;
  /** `off` lifts the requests a second and the tasks at once. */
  readonly limits: 'on' | 'off';
  /** The time in ms since 1970; every status, limit and expiry follows it. Default `Date.now`. */
  readonly now?: () => number;
  /** What fetches images and audio. Default the global one. */
  readonly fetch?: typeof fetch;
}

/** A request as it arrived, kept for assertions. */
export interface RecordedRequest {
  readonly at: number;
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The body as text; left out when it is larger than 256 KiB. */
  readonly body?: string;
}

export interface Wan {
  /** The base URL to give to a client: `http://127.0.0.1:PORT/api/v1`. */
  readonly url: string;
  readonly port: number;
  /** The latest 10,000 requests, oldest first. */
  readonly requests: RecordedRequest[];
  close(): Promise<void>;
}

const recordedRequests = 10_000;
const recordedBytes = 256 * 1024;
/** 100 MB is the temporary upload's limit, and a form is a little larger than its file. */
const maximumBody = 101 * 1024 * 1024;

/**
 * Starts the Wan emulator on 127.0.0.1. It goes on with the tasks that its directory holds.
 *
 * @throws when the port is taken or the directory can't be used
 */
export async function startWan(options: WanOptions): Promise<Wan> {
  const { directory, now = Date.now } = options;
  const enabled = options.limits === 'on';
  const store = await openStore({ directory, now, concurrency: enabled });
  const uploads = await openUploads({ directory, now });
  const renderer = await openRenderer({ directory, tasks: store.all(), inputPath: store.inputPath });
  const settler = createSettler({ store, renderer, now });
  const requests: RecordedRequest[] = [];

  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const route = createRoutes({
    store,
    uploads,
    renderer,
    settler,
    limits: createLimits({ enabled, now }),
    fetch: options.fetch ?? fetch,
    now,
    taskSeconds: options.taskSeconds,
    origin,
  });

  server.on('request', async (incoming: IncomingMessage, response: ServerResponse) => {
    try {
      const body = await readBody(incoming);
      requests.push(record(incoming, body ?? Buffer.alloc(0), now()));
      if (requests.length > recordedRequests) requests.shift();
      send(response, body ? await route(toWanRequest(incoming, body)) : refused(refuse('BadRequest.TooLarge')));
    } catch (error) {
      if (server.listening) console.error('Wan emulator:', error);
      if (response.headersSent) response.destroy();
      else send(response, refused(refuse('InternalError')));
    }
  });

  return {
    url: `${origin}/api/v1`,
    port,
    requests,
    async close() {
      settler.close();
      renderer.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The whole body, or undefined when it is too large (it is read to its end even then, so that the answer arrives). */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += chunk.length;
    if (length <= maximumBody) chunks.push(chunk);
  }
  return length <= maximumBody ? Buffer.concat(chunks) : undefined;
}

function record(incoming: IncomingMessage, body: Buffer, at: number): RecordedRequest {
  const { method = '', url = '', headers } = incoming;
  return { at, method, url, headers, ...(body.length <= recordedBytes && { body: body.toString('utf8') }) };
}

function toWanRequest({ method = '', url = '', headers }: IncomingMessage, body: Buffer): WanRequest {
  const { pathname, searchParams } = new URL(url, 'http://127.0.0.1');
  return { method, path: pathname.replace(/(?<=.)\/+$/, ''), query: searchParams, headers, body };
}

function send(response: ServerResponse, answer: Answer): void {
  if (answer.kind === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
  if (response.req.method === 'HEAD') response.end();
  else if (answer.kind === 'whole') response.end(body);
  else response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}
