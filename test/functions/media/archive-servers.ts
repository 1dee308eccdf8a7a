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
  /** The response to the next PutObject; `silent` and `mute` return no digest, `silent` does on request. */
  mode: 'store' | 'lie' | 'refuse' | 'silent' | 'mute';
};

/** As much of S3 as accepts a PutObject whose checksum comes as a trailer, and answers HeadObject. */
export async function serveBucket(): Promise<Bucket> {
  const objects: Bucket['objects'] = new Map();
  const serving = await serve(async (request, response) => {
    try {
      const body = await readBody(request, () => {
        bucket.ended += 1;
      });
      const path = request.url?.split('?')[0] ?? '';
      if (request.method === 'HEAD') {
        const { versionId } = Object.fromEntries(new URL(request.url ?? '', 'http://s3').searchParams);
        const stored = versionId === 'v1' && request.headers['x-amz-checksum-mode'] === 'ENABLED' && objects.get(path);
        const checksum = stored && bucket.mode === 'silent' ? { 'x-amz-checksum-sha256': digestOf(stored.body) } : {};
        response.writeHead(stored ? 200 : 404, checksum).end();
        return;
      }
      if (bucket.mode === 'refuse') {
        response.writeHead(503, { 'content-type': 'application/xml' }).end('<Error><Code>SlowDown</Code></Error>');
        return;
      }
      objects.set(path, {
        body,
        type: request.headers['content-type'],
        digest: request.headers['x-amz-trailer']?.toString(),
      });
      const digest = { 'x-amz-checksum-sha256': digestOf(bucket.mode === 'lie' ? 'something else' : body) };
      const checksum = bucket.mode === 'silent' || bucket.mode === 'mute' ? {} : digest;
      response.writeHead(200, { etag: '"e1"', 'x-amz-version-id': 'v1', ...checksum }).end();
    } catch {
      response.destroy();
    }
  });
  const bucket: Bucket = { ...serving, objects, ended: 0, mode: 'store' };
  return bucket;
}

const digestOf = (body: Buffer | string): string => createHash('sha256').update(body).digest('base64');

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
