import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Serving = { origin: string; close(): Promise<void> };

/** An HTTP server on a free port of the loopback. */
export async function serve(listener: RequestListener): Promise<Serving> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export type Bucket = Serving & {
  objects: Map<string, { body: Buffer; type: string | undefined; digest: string | undefined }>;
  /** Requests that arrived to their end, whether they were whole or not. */
  ended: number;
  /** What the next PutObject is answered with. */
  mode: 'store' | 'lie' | 'refuse';
};

/** Just enough of S3 to take a PutObject whose checksum comes as a trailer. */
export async function serveBucket(): Promise<Bucket> {
  const objects: Bucket['objects'] = new Map();
  const serving = await serve(async (request, response) => {
    try {
      const body = await readBody(request, () => {
        bucket.ended += 1;
      });
      if (bucket.mode === 'refuse') {
        response.writeHead(503, { 'content-type': 'application/xml' }).end('<Error><Code>SlowDown</Code></Error>');
        return;
      }
      objects.set(request.url?.split('?')[0] ?? '', {
        body,
        type: request.headers['content-type'],
        digest: request.headers['x-amz-trailer']?.toString(),
      });
      const digest = createHash('sha256')
        .update(bucket.mode === 'lie' ? 'something else' : body)
        .digest('base64');
      response.writeHead(200, { etag: '"e1"', 'x-amz-version-id': 'v1', 'x-amz-checksum-sha256': digest }).end();
    } catch {
      response.destroy();
    }
  });
  const bucket: Bucket = { ...serving, objects, ended: 0, mode: 'store' };
  return bucket;
}

/** The object of a request: `aws-chunked` unwrapped, and its announced length kept to. */
async function readBody(request: IncomingMessage, onEnd: () => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  onEnd();
  const raw = Buffer.concat(chunks);
  const length = request.headers['x-amz-decoded-content-length'];
  if (length === undefined) return raw;
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = raw.indexOf('\r\n', at);
    const size = Number.parseInt(raw.toString('latin1', at, end), 16);
    if (!size) break;
    parts.push(raw.subarray(end + 2, end + 2 + size));
    at = end + 4 + size;
  }
  const body = Buffer.concat(parts);
  if (body.length !== Number(length)) throw new Error('IncompleteBody');
  return body;
}
