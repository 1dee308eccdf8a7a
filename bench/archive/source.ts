import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeVideo, padded } from './padded-video.ts';

/** Where videos come from: `GET /<bytes>` is a video of that size. */
export async function serveVideos() {
  const video = await makeVideo();
  const server = createServer((request, response) => {
    const bytes = Number(request.url?.slice(1));
    response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': bytes });
    // Whoever breaks off is told by the length that it came short.
    pipeline(Readable.from(padded(video, bytes), { objectMode: false }), response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
