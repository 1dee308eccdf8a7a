import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Serves a local API below its stage only, as AWS does; the local one has its routes at the root.
 * @returns its base URL, in the form of the output `ApiUrl`: it ends with the stage and a slash
 */
export async function serveStage(apiUrl: string): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    const { url = '', method, headers } = incoming;
    if (!url.startsWith('/v1/')) return void outgoing.writeHead(403).end('{"message":"Forbidden"}');
    const forwarded = request(apiUrl + url.slice('/v1'.length), { method, headers }, (response) => {
      outgoing.writeHead(response.statusCode!, response.headers);
      response.pipe(outgoing);
    });
    forwarded.once('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
