import { Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';

export interface RawRequest {
  method: string;
  /** Path and query, sent without normalization. */
  target: string;
  headers: readonly (readonly [name: string, value: string])[];
  body: string | Buffer | undefined;
}

export interface RawResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Creates a client that sends requests unchanged; `fetch` would normalize them. */
export function createSender(base: string, connections: number) {
  const { protocol, hostname, port } = new URL(base);
  const isPlain = protocol === 'http:';
  const options = { keepAlive: true, maxSockets: connections };
  const agent = isPlain ? new Agent(options) : new TlsAgent(options);
  const send = (given: RawRequest): Promise<RawResponse> =>
    new Promise((resolve, reject) => {
      const headers = [['Host', port ? `${hostname}:${port}` : hostname], ...given.headers].flat();
      if (given.body !== undefined) headers.push('Content-Length', String(Buffer.byteLength(given.body)));
      const { method, target: path } = given;
      const sent = (isPlain ? httpRequest : httpsRequest)(
        { agent, hostname, port, method, path, headers },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () =>
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: Buffer.concat(chunks).toString('utf8'),
            }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(given.body);
    });
  return { send, close: () => agent.destroy() };
}
