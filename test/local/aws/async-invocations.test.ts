import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../local/aws/clock.ts';
import type { FunctionDefinition } from '../../../local/aws/lambda/function-definition.ts';
import { createLambda } from '../../../local/aws/lambda/lambda.ts';
import { createQueues } from '../../../local/aws/sqs/queues.ts';
import { functionDefinition, manualClock, temporaryDirectory, until } from './support.ts';

const deadLetters = { arn: 'arn:aws:sqs:us-east-1:000000000000:dead', name: 'dead' };

async function lambdaIn(
  directory: string,
  code: string,
  overrides: Partial<FunctionDefinition> = {},
  clock = manualClock(Date.now()),
) {
  const definition = await functionDefinition(directory, code, overrides);
  const queues = createQueues({ directory, now: clock.now, queues: [deadLetters] });
  const lambda = createLambda({
    directory,
    clock,
    functions: [definition],
    endpoint_url: 'http://127.0.0.1:9',
    queues,
  });
  onTestFinished(() => lambda.close());
  return { lambda, clock };
}

const journal = (directory: string) => readdirSync(path.join(directory, 'invocations'));
const handledIds = (directory: string) => readFileSync(path.join(directory, 'seen'), 'utf8').trim().split('\n');
const lines = (directory: string) =>
  readFileSync(path.join(directory, 'dead.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const noting = (directory: string, then = '') =>
  `exports.handler = async (event) => { require('node:fs').appendFileSync(${JSON.stringify(path.join(directory, 'seen'))}, event.id + '\\n'); ${then} }`;

describe('an asynchronous invocation', () => {
  test('runs once when it succeeds and is removed', async () => {
    const directory = temporaryDirectory();
    const { lambda } = await lambdaIn(directory, noting(directory));
    await lambda.accept('test-function', '{"id":"a"}');
    await lambda.idle();
    expect(handledIds(directory)).toEqual(['a']);
    expect(journal(directory)).toEqual([]);
  });

  test('is retried after one and after two more minutes, then sent to the dead-letter queue', async () => {
    const directory = temporaryDirectory();
    const { lambda, clock } = await lambdaIn(directory, noting(directory, `throw new Error('no')`), {
      async_settings: { dead_letter_arn: deadLetters.arn },
    });
    const requestId = await lambda.accept('test-function:live', '{"id":"a"}');
    await lambda.idle();
    clock.advance(59_999);
    await lambda.idle();
    expect(handledIds(directory)).toHaveLength(1);
    clock.advance(1);
    await lambda.idle();
    clock.advance(119_999);
    await lambda.idle();
    expect(handledIds(directory)).toHaveLength(2);
    clock.advance(1);
    await lambda.idle();
    expect(handledIds(directory)).toHaveLength(3);
    expect(journal(directory)).toEqual([]);
    const [event, ...others] = lines(directory);
    expect(event).toMatchObject({ body: '{"id":"a"}', attributes: { RequestID: requestId, ErrorMessage: 'no' } });
    expect(others).toEqual([]);
  });

  test('has no more retries than the template sets', async () => {
    const directory = temporaryDirectory();
    const { lambda } = await lambdaIn(directory, noting(directory, `throw new Error('no')`), {
      async_settings: { maximum_retry_attempts: 0 },
    });
    await lambda.accept('test-function', '{"id":"a"}');
    await lambda.idle();
    expect(journal(directory)).toEqual([]);
    expect(handledIds(directory)).toEqual(['a']);
  });

  test('does not count a throttle as a failure', async () => {
    const directory = temporaryDirectory();
    const { lambda, clock } = await lambdaIn(directory, noting(directory), { reserved_concurrency: 1 });
    await Promise.all(['a', 'b', 'c'].map((id) => lambda.accept('test-function', JSON.stringify({ id }))));
    await until(async () => {
      await lambda.idle();
      clock.advance(1000);
      return journal(directory).length === 0;
    });
    expect(handledIds(directory).sort()).toEqual(['a', 'b', 'c']);
  });

  test('does not run when it was throttled until it was older than the template allows', async () => {
    const directory = temporaryDirectory();
    const { lambda, clock } = await lambdaIn(directory, noting(directory), {
      reserved_concurrency: 0,
      async_settings: { maximum_event_age_seconds: 60, dead_letter_arn: deadLetters.arn },
    });
    await lambda.accept('test-function', '{"id":"a"}');
    for (let second = 0; second < 60; second++) {
      await lambda.idle();
      expect(journal(directory)).toHaveLength(1);
      clock.advance(1000);
    }
    await lambda.idle();
    expect(journal(directory)).toEqual([]);
    expect(lines(directory)).toMatchObject([
      { body: '{"id":"a"}', attributes: { ErrorMessage: 'The event is too old.' } },
    ]);
    expect(existsSync(path.join(directory, 'seen'))).toBe(false);
  });

  test('is retried but never written to disk when it is volatile', async () => {
    const directory = temporaryDirectory();
    const { lambda, clock } = await lambdaIn(directory, noting(directory, `throw new Error('no')`));
    await lambda.accept('test-function', '{"id":"a"}', { volatile: true });
    await lambda.idle();
    clock.advance(60_000);
    await lambda.idle();
    expect(handledIds(directory)).toEqual(['a', 'a']);
    expect(existsSync(path.join(directory, 'invocations'))).toBe(false);
  });

  test('is rejected when it has over 1 MB', async () => {
    const { lambda } = await lambdaIn(temporaryDirectory(), 'exports.handler = async () => {}');
    await expect(lambda.accept('test-function', JSON.stringify('x'.repeat(1_048_576)))).rejects.toMatchObject({
      name: 'RequestTooLargeException',
    });
  });

  test('stays on disk when the template no longer has its function', async () => {
    const directory = temporaryDirectory();
    const first = await lambdaIn(directory, noting(directory, `throw new Error('no')`));
    await first.lambda.accept('test-function', '{"id":"a"}');
    await first.lambda.idle();
    await first.lambda.close();
    const { lambda } = await lambdaIn(directory, noting(directory), { name: 'another' });
    await lambda.resume();
    await lambda.idle();
    expect(journal(directory)).toHaveLength(1);
  });
});

test('runs an accepted invocation after the process was killed', async () => {
  const directory = temporaryDirectory();
  const code = noting(directory, 'await new Promise(() => {})');
  const definition = await functionDefinition(directory, code);
  const script = path.join(directory, 'accept.mts');
  await writeFile(
    script,
    `import { createLambda } from ${JSON.stringify(path.resolve('local/aws/lambda/lambda.ts'))};
     import { createQueues } from ${JSON.stringify(path.resolve('local/aws/sqs/queues.ts'))};
     import { systemClock } from ${JSON.stringify(path.resolve('local/aws/clock.ts'))};
     const directory = ${JSON.stringify(directory)};
     const queues = createQueues({ directory, now: Date.now, queues: [] });
     const lambda = createLambda({ directory, clock: systemClock, functions: [${JSON.stringify(definition)}], endpoint_url: 'http://127.0.0.1:9', queues });
     for (const id of ['a', 'b']) await lambda.accept('test-function', JSON.stringify({ id }));
     console.log('accepted');
     setInterval(() => {}, 1000);`,
  );
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  expect(journal(directory)).toHaveLength(2);

  const queues = createQueues({ directory, now: Date.now, queues: [] });
  const finishing = await functionDefinition(
    directory,
    noting(directory, `require('node:fs').appendFileSync(${JSON.stringify(path.join(directory, 'done'))}, event.id)`),
  );
  const lambda = createLambda({
    directory,
    clock: systemClock,
    functions: [finishing],
    endpoint_url: 'http://127.0.0.1:9',
    queues,
  });
  onTestFinished(() => lambda.close());
  await lambda.resume();
  await lambda.idle();
  expect([...readFileSync(path.join(directory, 'done'), 'utf8')].sort()).toEqual(['a', 'b']);
  expect(journal(directory)).toEqual([]);
});
