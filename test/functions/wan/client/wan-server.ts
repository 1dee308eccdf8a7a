import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ReceivedRequest = { method: string; url: string; headers: Record<string, string>; body: string };
export type ScriptedResponse = (response: ServerResponse, request: IncomingMessage) => void;

export type WanServer = {
  origin: string;
  baseUrl: string;
  /** All received requests. */
  requests: ReceivedRequest[];
  /** Responses in order; the last one repeats. */
  script: ScriptedResponse[];
  close(): Promise<void>;
};

/** Starts an HTTP server with scripted responses. */
export async function startWanServer(): Promise<WanServer> {
  const requests: ReceivedRequest[] = [];
  const script: ScriptedResponse[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    requests.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers,
      body: Buffer.concat(chunks).toString('utf8'),
    });
    const respond = script.length > 1 ? script.shift() : script[0];
    respond?.(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    baseUrl: `${origin}/api/v1`,
    requests,
    script,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export const json =
  (status: number, body: unknown): ScriptedResponse =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

export const raw =
  (status: number, body: string, headers: Record<string, string> = {}): ScriptedResponse =>
  (response) => {
    response.writeHead(status, headers).end(body);
  };

/** Resets the connection after the request. */
export const reset: ScriptedResponse = (_, request) => {
  request.socket.resetAndDestroy();
};

/** Never responds. */
export const silence: ScriptedResponse = () => undefined;

/** Closes the connection in the middle of the response. */
export const truncated: ScriptedResponse = (response, request) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 });
  response.write('{"output": {"task_id": "abc", ', () => request.socket.destroy());
};

/** A response of two mebibytes. */
export const oversize: ScriptedResponse = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(`{"output": {"task_id": "abc", "task_status": "PENDING"}, "padding": "${'x'.repeat(2 << 20)}"}`);
};
