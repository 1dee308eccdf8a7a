import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createS3, type S3, type S3Options } from './create-s3.ts';

export interface RunningS3 extends Pick<S3, 'createBucket'> {
  /** `http://127.0.0.1:<port>` */
  endpoint: string;
  close(): Promise<void>;
}

/** Serves S3 alone on 127.0.0.1. @param port @default 0, a free one */
export async function serve(options: S3Options, port = 0): Promise<RunningS3> {
  const s3 = createS3(options);
  const server = createServer((request, response) => void s3.handle(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: actualPort } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${actualPort}`,
    createBucket: s3.createBucket,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await s3.close();
    },
  };
}
