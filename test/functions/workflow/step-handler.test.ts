import { expect, test } from 'vitest';
import { errorNames, WorkflowError } from '../../../functions/shared/errors.ts';
import { createLogger } from '../../../functions/shared/logging.ts';
import { logged } from '../../../functions/workflow/step-handler.ts';
import { aContext, linesOf } from '../log-lines.ts';

const input = { id: 'v1', run: 2 };
const always = { video_id: 'v1', run: 2, function_request_id: 'r1' };

test('adds the video and run to the lines of a step', async () => {
  const logger = createLogger('tested');
  const step = logged(logger, async () => {
    logger.info('Done.', { outcome: 'created' });
    return 'the output';
  });
  let output: unknown;
  const lines = await linesOf(async () => {
    output = await step(input, aContext('r1'));
  });
  expect(output).toBe('the output');
  expect(lines).toMatchObject([{ ...always, level: 'INFO', message: 'Done.', outcome: 'created' }]);
});

test('logs a known error in one line with its name, and rethrows it', async () => {
  const thrown = new WorkflowError(errorNames.wanThrottled, 'Wan is throttling: Throttling');
  const caught: unknown[] = [];
  const step = logged(createLogger('tested'), () => Promise.reject(thrown));
  const lines = await linesOf(() => step(input, aContext('r1')), caught);
  expect(lines).toMatchObject([{ ...always, level: 'WARN', code: 'WanThrottled' }]);
  expect(caught).toEqual([thrown]);
});

test('logs an unexpected error in one line with its name and stack, and rethrows it', async () => {
  const thrown = new RangeError('Out of it.');
  const caught: unknown[] = [];
  const step = logged(createLogger('tested'), () => Promise.reject(thrown));
  const [line, ...more] = await linesOf(() => step(input, aContext('r1')), caught);
  expect(more).toEqual([]);
  expect(line).toMatchObject({ ...always, level: 'ERROR', error: { name: 'RangeError', message: 'Out of it.' } });
  expect(JSON.stringify(line)).toContain('step-handler.test.ts');
  expect(caught[0]).toBe(thrown);
});
