import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Context } from 'aws-lambda';
import { expect, test } from 'vitest';
import { createLogger, describeError, inContext, type Subject } from '../../../functions/shared/logging.ts';
import { aContext, linesOf } from '../log-lines.ts';

interface Event {
  id?: string;
}

const about = ({ id }: Event): Subject => (id ? { video_id: id } : {});

test('adds the request id and the subject to every line', async () => {
  const logger = createLogger('tested');
  const handler = inContext(
    logger,
    async () => {
      logger.info('One.');
      logger.warn('Two.', { code: 'x' });
    },
    about,
  );
  const lines = await linesOf(() => handler({ id: 'v1' }, aContext('r1')));
  expect(lines).toMatchObject([
    { level: 'INFO', message: 'One.', video_id: 'v1', function_request_id: 'r1', service: 'tested' },
    { level: 'WARN', message: 'Two.', video_id: 'v1', function_request_id: 'r1', code: 'x' },
  ]);
});

test('drops the subject of the previous invocation, even if that one threw', async () => {
  const logger = createLogger('tested');
  const handler = inContext(
    logger,
    async ({ id }: Event) => {
      if (id) throw new Error('broken');
      logger.info('Nothing.');
    },
    about,
  );
  await expect(handler({ id: 'v1' }, aContext('r1'))).rejects.toThrow('broken');
  const [line] = await linesOf(() => handler({}, aContext('r2')));
  expect(line).toMatchObject({ function_request_id: 'r2' });
  expect(line).not.toHaveProperty('video_id');
});

test('returns the response of the handler', async () => {
  const handler = inContext(createLogger('tested'), async (event: number) => event + 1);
  expect(await handler(1, {} as Context)).toBe(2);
});

test('logs an error of the AWS SDK with our function in its stack', async () => {
  const server = createServer((_request, response) => response.writeHead(400).end('<Error><Code>Odd</Code></Error>'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const s3 = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials,
    forcePathStyle: true,
  });
  const logger = createLogger('tested');
  async function readOurObject() {
    await s3.send(new GetObjectCommand({ Bucket: 'videos', Key: 'cat.mp4' }));
  }
  const [line] = await linesOf(() =>
    readOurObject().catch((error: unknown) => logger.error('A request failed.', describeError(error))),
  );
  server.close();
  expect(line).toMatchObject({ error: { name: 'Odd', stack: expect.stringContaining('readOurObject') } });
});
