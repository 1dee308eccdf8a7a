import type { Context } from 'aws-lambda';
import { expect, test } from 'vitest';
import { createLogger, inContext, type Subject } from '../../../functions/shared/logging.ts';
import { aContext, linesOf } from '../log-lines.ts';

interface Event {
  id?: string;
}

const about = ({ id }: Event): Subject => (id ? { video_id: id } : {});

test('every line carries the function’s request id and what the invocation is about', async () => {
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

test('no line carries what the invocation before was about, even if that one threw', async () => {
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

test('the answer is the handler’s', async () => {
  const handler = inContext(createLogger('tested'), async (event: number) => event + 1);
  expect(await handler(1, {} as Context)).toBe(2);
});
