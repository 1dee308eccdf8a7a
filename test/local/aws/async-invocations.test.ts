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
const seen = (directory: string) => readFileSync(path.join(directory, 'seen'), 'utf8').trim().split('\n');
const lines = (directory: string) =>
  readFileSync(path.join(directory, 'dead.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const noting = (directory: string, then = '') =>
  `exports.handler = async (event) => { require('node:fs').appendFileSync(${JSON.stringify(path.join(directory, 'seen'))}, event.id + '\\n'); ${then} }`;

describe('an asynchronous invocation', () => {
  test('runs once when it succeeds, and is then forgotten', async () => {
    const directory = temporaryDirectory();
    const { lambda } = await lambdaIn(directory, noting(directory));
    await lambda.accept('test-function', '{"id":"a"}');
    await lambda.idle();
    expect(seen(directory)).toEqual(['a']);
    expect(journal(directory)).toEqual([]);
  });

  test('that fails is tried again after one minute and after two more, then goes to the dead letters', async () => {
    const directory = temporaryDirectory();
    const { lambda, clock } = await lambdaIn(directory, noting(directory, `throw new Error('no')`), {
      async_settings: { dead_letter_arn: deadLetters.arn },
    });
    const requestId = await lambda.accept('test-function:live', '{"id":"a"}');
    await lambda.idle();
    clock.advance(59_999);
    await lambda.idle();
    expect(seen(directory)).toHaveLength(1);
    clock.advance(1);
    await lambda.idle();
    clock.advance(119_999);
    await lambda.idle();
    expect(seen(directory)).toHaveLength(2);
    clock.advance(1);
    await lambda.idle();
    expect(seen(directory)).toHaveLength(3);
    expect(journal(directory)).toEqual([]);
    const [event, ...others] = lines(directory);
    expect(event).toMatchObject({ body: '{"id":"a"}', attributes: { RequestID: requestId, ErrorMessage: 'no' } });
    expect(others).toEqual([]);
  });

  test('is tried no oftener than the template says', async () => {
    const directory = temporaryDirectory();
    const { lambda } = await lambdaIn(directory, noting(directory, `throw new Error('no')`), {
      async_settings: { maximum_retry_attempts: 0 },
    });
    await lambda.accept('test-function', '{"id":"a"}');
    await lambda.idle();
    expect(journal(directory)).toEqual([]);
    expect(seen(directory)).toEqual(['a']);
  });

  test('that a throttle held up is not counted as a failure', async () => {
    const directory = temporaryDirectory();
    const { lambda, clock } = await lambdaIn(directory, noting(directory), { reserved_concurrency: 1 });
    await Promise.all(['a', 'b', 'c'].map((id) => lambda.accept('test-function', JSON.stringify({ id }))));
    await until(async () => {
      await lambda.idle();
      clock.advance(1000);
      return journal(directory).length === 0;
    });
    expect(seen(directory).sort()).toEqual(['a', 'b', 'c']);
  });

  test('that is volatile is tried like any other, but never on disk', async () => {
    const directory = temporaryDirectory();
    const { lambda, clock } = await lambdaIn(directory, noting(directory, `throw new Error('no')`));
    await lambda.accept('test-function', '{"id":"a"}', { volatile: true });
    await lambda.idle();
    clock.advance(60_000);
    await lambda.idle();
    expect(seen(directory)).toEqual(['a', 'a']);
    expect(existsSync(path.join(directory, 'invocations'))).toBe(false);
  });

  test('of over 1 MB is refused, not accepted', async () => {
    const { lambda } = await lambdaIn(temporaryDirectory(), 'exports.handler = async () => {}');
    await expect(lambda.accept('test-function', JSON.stringify('x'.repeat(1_048_576)))).rejects.toMatchObject({
      name: 'RequestTooLargeException',
    });
  });

  test('whose function the template no longer has waits on disk', async () => {
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

test('what was accepted runs although the process is killed at that moment', async () => {
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
