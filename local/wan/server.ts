import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { apiError } from './errors.ts';
import { createTaskFinisher } from './finish-tasks.ts';
import { errorResponse, type WanRequest, type WanResponse } from './http.ts';
import { createLimits } from './limits.ts';
import { openRenderer } from './render/render.ts';
import { createRoutes } from './routes.ts';
import { openStore } from './store.ts';
import { defaultFacts, type UnsettledFacts } from './unsettled.ts';
import { openUploads } from './uploads.ts';

export interface WanOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Directory of tasks, inputs and videos, created if missing. Nothing else may use it. */
  readonly directory: string;
  /** Duration of a task without a directive. */
  readonly taskSeconds: number;
  /** `off` disables the limits of requests per second and of concurrent tasks. */
  readonly limits: 'on' | 'off';
  /**
   * Which domain of Wan the emulator plays: wan3.0 and the quotas exist on workspace domains alone.
   *
   * @default workspace
   */
  readonly domain?: 'workspace' | 'shared';
  /** Replaces the defaults of what the documentation leaves open (README.md, "Unsettled facts"). */
  readonly facts?: Partial<UnsettledFacts>;
  /** Milliseconds since 1970; every status, limit and expiry follows from it. @default Date.now */
  readonly now?: () => number;
  /** Fetches the files of requests. @default the global one */
  readonly fetch?: typeof fetch;
}

/** A received request, recorded for assertions. */
export interface RecordedRequest {
  readonly at: number;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Body as text, omitted when larger than 256 KiB. */
  readonly body?: string;
  /** The status of the response, once there is one. */
  status?: number;
}

export interface Wan {
  /** Base URL for clients: `http://127.0.0.1:PORT/api/v1`. */
  readonly url: string;
  readonly port: number;
  /** The latest 10,000 requests, oldest first. */
  readonly requests: RecordedRequest[];
  /** Ends now each open task whose prompt contains the text. For tests that wait for something while a task runs. */
  finishTasks(prompt: string): Promise<void>;
  /** Multiplies the limits of requests per second from now on, as Wan lowers them before a retirement. */
  scaleLimits(factor: number): void;
  close(): Promise<void>;
}

const recordedRequests = 10_000;
const recordedBytes = 256 * 1024;
/** A temporary upload may have 100 MB, and a form is a little larger than its file. */
const maximumBody = 101 * 1024 * 1024;

/**
 * Starts the Wan emulator on 127.0.0.1. It continues the tasks in its directory.
 *
 * @throws when the port is in use or the directory cannot be used
 */
export async function startWan(options: WanOptions): Promise<Wan> {
  const { directory, now = Date.now } = options;
  const enabled = options.limits === 'on';
  const store = await openStore({ directory, now, concurrency: enabled });
  const uploads = await openUploads({ directory, now });
  const renderer = await openRenderer({ directory, tasks: store.all(), inputPath: store.inputPath });
  const finisher = createTaskFinisher({ store, renderer, now });
  const requests: RecordedRequest[] = [];

  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const limits = createLimits({ enabled, now });
  const route = createRoutes({
    store,
    uploads,
    renderer,
    finisher,
    limits,
    fetch: options.fetch ?? fetch,
    now,
    taskSeconds: options.taskSeconds,
    domain: options.domain ?? 'workspace',
    facts: { ...defaultFacts, ...options.facts },
    origin,
  });

  server.on('request', async (incoming: IncomingMessage, response: ServerResponse) => {
    try {
      const body = await readBody(incoming);
      const received = record(incoming, body ?? Buffer.alloc(0), now());
      requests.push(received);
      if (requests.length > recordedRequests) requests.shift();
      const result = body ? await route(toWanRequest(incoming, body)) : errorResponse(apiError('BadRequest.TooLarge'));
      if ('status' in result) received.status = result.status;
      send(response, result);
    } catch (error) {
      if (server.listening) console.error('Wan emulator:', error);
      if (response.headersSent) response.destroy();
      else send(response, errorResponse(apiError('InternalError')));
    }
  });

  return {
    url: `${origin}/api/v1`,
    port,
    requests,
    async finishTasks(prompt) {
      const time = now();
      const secondsSince = (start: number) => Math.max(0, (time - start) / 1000);
      for (const task of store.all()) {
        const { start, end } = store.timesOf(task);
        if (task.outcome || task.canceled_at !== undefined || time >= end || !task.orig_prompt.includes(prompt))
          continue;
        const pending_seconds = Math.min(task.pending_seconds, secondsSince(task.submitted_at));
        await store.save({ ...task, pending_seconds, run_seconds: secondsSince(start) });
      }
    },
    scaleLimits: limits.scale,
    async close() {
      finisher.close();
      renderer.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Returns the body, or undefined when it is too large. Reads even that to its end, so that the response arrives. */
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

function send(output: ServerResponse, response: WanResponse): void {
  if (response.kind === 'reset') {
    output.socket?.resetAndDestroy();
    return;
  }
  const body = Buffer.from(response.body);
  const length = response.kind === 'chunked' ? {} : { 'content-length': body.length };
  output.writeHead(response.status, { ...response.headers, ...length });
  if (output.req.method === 'HEAD') output.end();
  else if (response.kind !== 'cut') output.end(body);
  else output.write(body.subarray(0, Math.floor(body.length / 2)), () => output.destroy());
}
