import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../../local/aws/clock.ts';
import { systemClock } from '../../../local/aws/clock.ts';
import type { FunctionDefinition } from '../../../local/aws/lambda/function-definition.ts';
import { createLambda, type LambdaOptions } from '../../../local/aws/lambda/lambda.ts';
import { createQueues } from '../../../local/aws/sqs/queues.ts';
import { functionDefinition, manualClock, temporaryDirectory, until } from './support.ts';

async function lambdaWith(
  code: string,
  { clock = systemClock, ...overrides }: Partial<FunctionDefinition> & { clock?: Clock } = {},
  options: Partial<LambdaOptions> = {},
) {
  const directory = temporaryDirectory();
  const definition = await functionDefinition(directory, code, overrides);
  const queues = createQueues({ directory, now: clock.now, queues: [] });
  const lambda = createLambda({
    directory,
    clock,
    functions: [definition],
    endpoint_url: 'http://127.0.0.1:9',
    queues,
    ...options,
  });
  onTestFinished(() => lambda.close());
  const logs = () => readFileSync(path.join(directory, 'logs', 'test-function.log'), 'utf8');
  return {
    lambda,
    definition,
    logs,
    call: (event: unknown = {}) => lambda.invoke('test-function', JSON.stringify(event)),
  };
}

describe('an invocation', () => {
  test('receives the event and a context and returns JSON', async () => {
    const { lambda, definition } = await lambdaWith(
      `exports.handler = async (event, context) => ({ event, id: context.awsRequestId, arn: context.invokedFunctionArn,
        name: context.functionName, memory: context.memoryLimitInMB, left: context.getRemainingTimeInMillis() })`,
    );
    const outcome = await lambda.invoke(`${definition.arn}:live`, '{"a":[1,"ü"]}');
    const result = JSON.parse('payload' in outcome ? outcome.payload : '{}');
    expect(result).toMatchObject({
      event: { a: [1, 'ü'] },
      id: outcome.request_id,
      arn: `${definition.arn}:live`,
      name: 'test-function',
      memory: '128',
    });
    expect(result.left).toBeGreaterThan(1000);
    expect(result.left).toBeLessThanOrEqual(3000);
  });

  test('returns null if the handler returns nothing', async () => {
    const { call } = await lambdaWith('exports.handler = async () => {}');
    expect(await call()).toMatchObject({ payload: 'null' });
  });

  test('has the template’s environment and Lambda’s variables, and nothing of this process', async () => {
    process.env.OF_THIS_PROCESS = 'secret';
    onTestFinished(() => {
      delete process.env.OF_THIS_PROCESS;
    });
    const { call, definition } = await lambdaWith('exports.handler = async () => process.env', {
      environment: { TABLE_NAME: 'videos' },
    });
    const outcome = await call();
    const environment = JSON.parse('payload' in outcome ? outcome.payload : '{}');
    expect(environment).toMatchObject({
      TABLE_NAME: 'videos',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_ACCESS_KEY_ID: definition.access_key_id,
      AWS_LAMBDA_FUNCTION_NAME: 'test-function',
      TZ: ':UTC',
    });
    for (const foreign of ['OF_THIS_PROCESS', 'NODE_OPTIONS', 'HOME', 'VITEST'])
      expect(environment).not.toHaveProperty(foreign);
  });

  test('writes its output to the function’s log with the request id', async () => {
    const { call, logs } = await lambdaWith(
      `exports.handler = async () => { console.log('hello'); console.error('trouble') }`,
    );
    const { request_id } = await call();
    expect(logs()).toContain(`${request_id} hello`);
    expect(logs()).toContain(`${request_id} trouble`);
  });

  test('of an unknown function is rejected', async () => {
    const { lambda } = await lambdaWith('exports.handler = async () => {}');
    await expect(lambda.invoke('other', '{}')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      status: 404,
    });
  });

  test('with more than 6 MB is rejected', async () => {
    const { call } = await lambdaWith('exports.handler = async () => {}');
    await expect(call('x'.repeat(6_291_456))).rejects.toMatchObject({ name: 'RequestTooLargeException', status: 413 });
  });
});

describe('a failed invocation', () => {
  test.each([
    [
      'a thrown error keeps its name',
      `const e = new Error('no'); e.name = 'WanThrottled'; throw e`,
      'WanThrottled',
      'no',
    ],
    ['an exit', 'process.exit(3)', 'Runtime.ExitError', 'exit status 3'],
    [
      'an unhandled rejection',
      `Promise.reject(new Error('lost')); await new Promise(() => {})`,
      'Runtime.UnhandledPromiseRejection',
      'lost',
    ],
    ['a result that is not JSON', 'const a = {}; a.a = a; return a', 'Runtime.MarshalError', 'circular'],
    ['a result over 6 MB', `return 'x'.repeat(6300000)`, 'Function.ResponseSizeTooLarge', '6291556'],
    [
      'exhausted memory',
      'const a = []; for (;;) a.push(new Array(1e5).fill({}))',
      'Runtime.OutOfMemory',
      'signal: killed',
    ],
  ])('%s', async (_, body, errorType, message) => {
    const { call } = await lambdaWith(`exports.handler = async () => { ${body} }`, { timeout_seconds: 20 });
    const outcome = await call();
    expect(outcome).toMatchObject({ error: { errorType, errorMessage: expect.stringContaining(message) } });
  });

  test.each([
    ['code that throws when it is loaded', `throw new TypeError('bad environment')`, 'TypeError', 'bad environment'],
    ['a missing handler', 'exports.other = 1', 'Runtime.HandlerNotFound', 'index.handler'],
    [
      'a handler with a callback',
      'exports.handler = (event, context, callback) => callback()',
      'Runtime.CallbackHandlerDeprecated',
      'promise',
    ],
    ['a missing module', `require('./nowhere.js')`, 'Runtime.ImportModuleError', 'nowhere'],
  ])('%s', async (_, code, errorType, message) => {
    const { call } = await lambdaWith(code);
    const outcome = await call();
    expect(outcome).toMatchObject({ error: { errorType, errorMessage: expect.stringContaining(message) } });
  });

  test('code that failed to load is loaded again by the next invocation', async () => {
    const directory = temporaryDirectory();
    const flag = JSON.stringify(path.join(directory, 'flag'));
    const { call } = await lambdaWith(
      `const fs = require('node:fs'); if (!fs.existsSync(${flag})) { fs.writeFileSync(${flag}, ''); throw new Error('not yet') }
       exports.handler = async () => 'now'`,
    );
    expect(await call()).toMatchObject({ error: { errorMessage: 'not yet' } });
    expect(await call()).toMatchObject({ payload: '"now"' });
  });

  test('a function that times out is ended, and the next invocation starts a new sandbox', async () => {
    const clock = manualClock(Date.now());
    const { call, logs } = await lambdaWith(
      `let count = 0; exports.handler = async (event) => { console.log('running'); if (event.hang) for (;;); return ++count }`,
      { clock, timeout_seconds: 7 },
    );
    expect(await call()).toMatchObject({ payload: '1' });
    const hanging = call({ hang: true });
    await until(() => logs().split('running').length === 3);
    clock.advance(7000);
    expect(await hanging).toMatchObject({
      error: {
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringContaining('Task timed out after 7.00 seconds'),
      },
    });
    expect(await call()).toMatchObject({ payload: '1' });
  });

  test('an error of the handler keeps the sandbox warm', async () => {
    const { call } = await lambdaWith(
      `let n = 0; exports.handler = async () => { n += 1; if (n === 1) throw new Error('once'); return n }`,
    );
    await call();
    expect(await call()).toMatchObject({ payload: '2' });
  });
});

describe('sandboxes', () => {
  const counting = `const { threadId } = require('node:worker_threads'); let n = 0;
    exports.handler = async ({ wait = 0 }) => { n += 1; await new Promise((r) => setTimeout(r, wait)); return { n, threadId } }`;
  const threads = (outcomes: object[]) =>
    outcomes.map(
      (outcome) => (JSON.parse('payload' in outcome ? String(outcome.payload) : '{}') as { threadId: number }).threadId,
    );

  test('are reused when they are free', async () => {
    const { call } = await lambdaWith(counting);
    const [first] = threads([await call()]);
    expect(threads([await call(), await call()])).toEqual([first, first]);
  });

  test('run one invocation at a time', async () => {
    const { call } = await lambdaWith(counting);
    const used = threads(await Promise.all([call({ wait: 50 }), call({ wait: 50 }), call({ wait: 50 })]));
    expect(new Set(used).size).toBe(3);
  });

  test('are limited in number, and further invocations wait', async () => {
    const { call } = await lambdaWith(counting, {}, { max_concurrency: 2 });
    const used = threads(await Promise.all(Array.from({ length: 6 }, () => call({ wait: 10 }))));
    expect(used).toHaveLength(6);
    expect(new Set(used).size).toBe(2);
  });

  test('throttle invocations above the reserved concurrency', async () => {
    const { call } = await lambdaWith(counting, { reserved_concurrency: 1 });
    const first = call({ wait: 20 });
    await expect(call()).rejects.toMatchObject({ name: 'TooManyRequestsException', status: 429 });
    await first;
    expect(await call()).toHaveProperty('payload');
  });

  test('are ended after an idle time', async () => {
    const clock = manualClock(Date.now());
    const { call } = await lambdaWith(counting, { clock }, { idle_milliseconds: 1000 });
    const [first] = threads([await call()]);
    clock.advance(999);
    expect(threads([await call()])).toEqual([first]);
    clock.advance(1000);
    expect(threads([await call()])).not.toEqual([first]);
  });
});
