import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeVideo, padVideo } from './padded-video.ts';

/** Starts a server of videos: `GET /<bytes>` returns a video of that size. */
export async function serveVideos() {
  const video = await makeVideo();
  const server = createServer((request, response) => {
    const bytes = Number(request.url?.slice(1));
    response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': bytes });
    // A client sees by the content length that an interrupted response is incomplete.
    pipeline(Readable.from(padVideo(video, bytes), { objectMode: false }), response).catch(() => response.destroy());
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
