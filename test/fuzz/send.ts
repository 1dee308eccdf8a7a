import { Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';

export interface RawRequest {
  method: string;
  /** With query, as it is sent: nothing is normalised. */
  target: string;
  headers: readonly (readonly [name: string, value: string])[];
  body: string | Buffer | undefined;
}

export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** Sends requests as they are, which `fetch` would put in order first. */
export function createSender(base: string, connections: number) {
  const { protocol, hostname, port } = new URL(base);
  const isPlain = protocol === 'http:';
  const options = { keepAlive: true, maxSockets: connections };
  const agent = isPlain ? new Agent(options) : new TlsAgent(options);
  const send = (given: RawRequest): Promise<RawAnswer> =>
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
