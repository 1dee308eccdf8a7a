import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Seen = { method: string; url: string; headers: Record<string, string>; body: string };
export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

export type WanServer = {
  origin: string;
  baseUrl: string;
  /** Every request, as it arrived. */
  seen: Seen[];
  /** Answers to come, in order; the last one stays. */
  script: Answer[];
  close(): Promise<void>;
};

/** A server that answers by script, and knows nothing of Wan. */
export async function startWanServer(): Promise<WanServer> {
  const seen: Seen[] = [];
  const script: Answer[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers,
      body: Buffer.concat(chunks).toString('utf8'),
    });
    const answer = script.length > 1 ? script.shift() : script[0];
    if (answer) answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    baseUrl: `${origin}/api/v1`,
    seen,
    script,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export const json =
  (status: number, body: unknown): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

export const raw =
  (status: number, body: string, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, headers).end(body);
  };

/** The request is read, then the connection is cut. */
export const reset: Answer = (_, request) => {
  request.socket.resetAndDestroy();
};

/** The request is read, and nothing comes. */
export const silence: Answer = () => undefined;

/** Half of an announced answer, then the end. */
export const truncated: Answer = (response, request) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 });
  response.write('{"output": {"task_id": "abc", ', () => request.socket.destroy());
};

/** Two mebibytes of JSON. */
export const oversize: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(`{"output": {"task_id": "abc", "task_status": "PENDING"}, "padding": "${'x'.repeat(2 << 20)}"}`);
};
