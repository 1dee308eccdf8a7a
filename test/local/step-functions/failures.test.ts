import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { nextRetry } from '../../../local/aws/step-functions/execution/retry.ts';
import { FunctionError, functionArn, only, open, runToEnd, start, until } from './support.ts';

const task = { Type: 'Task', Resource: functionArn('work') };
const failing = (name: string, message = 'no', times = Number.POSITIVE_INFINITY) => {
  let calls = 0;
  return async (_arn: string, payload: unknown) => {
    calls += 1;
    if (calls <= times) throw new FunctionError(name, message);
    return payload;
  };
};
const retryOn = (...names: string[]) => ({ ErrorEquals: names });
const times = (invocations: { at: number }[]) => invocations.map(({ at }) => at);

describe('Retry', () => {
  const cases: [string, object[], string, number[]][] = [
    ['three times after 1, 2 and 4 s by default', [retryOn('Throttled')], 'Throttled', [0, 1000, 3000, 7000]],
    [
      'with its own interval, rate and attempts',
      [{ ...retryOn('Throttled'), IntervalSeconds: 10, BackoffRate: 1.5, MaxAttempts: 2 }],
      'Throttled',
      [0, 10_000, 25_000],
    ],
    [
      'never longer than MaxDelaySeconds',
      [{ ...retryOn('Throttled'), IntervalSeconds: 4, MaxDelaySeconds: 6 }],
      'Throttled',
      [0, 4000, 10_000, 16_000],
    ],
    ['not for another error', [retryOn('Throttled')], 'Broken', [0]],
    ['not with MaxAttempts 0', [{ ...retryOn('Throttled'), MaxAttempts: 0 }, retryOn('States.ALL')], 'Throttled', [0]],
    ['for any error with States.ALL', [{ ...retryOn('States.ALL'), MaxAttempts: 1 }], 'Broken', [0, 1000]],
    [
      'for any error of a task with States.TaskFailed',
      [{ ...retryOn('States.TaskFailed'), MaxAttempts: 1 }],
      'Sandbox.Timedout',
      [0, 1000],
    ],
    ['for a timeout by States.Timeout alone', [retryOn('States.TaskFailed')], 'States.Timeout', [0]],
    ['not for States.Runtime', [retryOn('States.ALL')], 'States.Runtime', [0]],
    ['not for States.Runtime by its name', [retryOn('States.Runtime')], 'States.Runtime', [0]],
    ['not for States.DataLimitExceeded by States.ALL', [retryOn('States.ALL')], 'States.DataLimitExceeded', [0]],
  ];
  test.each(cases)('happens %s', async (_, Retry, error, expected) => {
    const { invocations, execution } = await runToEnd(only({ ...task, Retry }), {}, { invoke: failing(error) });
    expect(times(invocations)).toEqual(expected);
    expect(execution).toMatchObject({ status: 'FAILED', error });
  });

  test('counts each retrier for itself', async () => {
    const errors = ['A', 'B', 'A', 'B'];
    const Retry = [
      { ...retryOn('A'), IntervalSeconds: 1 },
      { ...retryOn('B'), IntervalSeconds: 100 },
    ];
    const { invocations, execution } = await runToEnd(
      only({ ...task, Retry }),
      {},
      {
        invoke: async () => {
          const error = errors.shift();
          if (error) throw new FunctionError(error, '');
        },
      },
    );
    expect(times(invocations)).toEqual([0, 1000, 101_000, 103_000, 303_000]);
    expect(execution.status).toBe('SUCCEEDED');
  });

  test('waits a random part of the delay with JitterStrategy FULL', () => {
    const retrier = {
      error_equals: ['A'],
      interval_seconds: 10,
      max_attempts: 9,
      backoff_rate: 2,
      max_delay_seconds: undefined,
      jitter: 'FULL',
    } as const;
    const delays = [0, 0.25, 0.999].map(
      (value) => nextRetry('A', [{ ...retrier, error_equals: ['A'] }], [2], () => value)?.delay_ms,
    );
    expect(delays).toEqual([0, 10_000, 39_960]);
  });

  test('a stop during the delay does not run the task again', async () => {
    const { stepFunctions, clock, invocations } = open(only({ ...task, Retry: [retryOn('States.ALL')] }), {
      invoke: failing('Broken'),
    });
    clock.stop();
    const { executionArn } = await start(stepFunctions, 'one');
    await until(() => clock.sleepers.size === 1);
    await stepFunctions.handle('StopExecution', { executionArn });
    await stepFunctions.idle();
    expect(invocations).toHaveLength(1);
    expect(await stepFunctions.handle('DescribeExecution', { executionArn })).toMatchObject({ status: 'ABORTED' });
    await stepFunctions.close();
  });
});

test.each(['StopExecution', 'close'])('a function that fails because %s called it off is not retried', async (how) => {
  const { stepFunctions, directory, invocations } = open(only({ ...task, Retry: [retryOn('States.ALL')] }), {
    invoke: (_arn, _payload, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new FunctionError('AbortError', '')))),
  });
  const { executionArn } = await start(stepFunctions, 'one');
  await until(() => invocations.length === 1);
  if (how === 'StopExecution') {
    await stepFunctions.handle('StopExecution', { executionArn });
    await stepFunctions.idle();
  }
  await stepFunctions.close();
  expect(readFileSync(path.join(directory, 'running.jsonl'), 'utf8')).not.toContain('"kind":"enter"');
});

describe('Catch', () => {
  const caught = (Catch: object[], state: object = task) => ({
    StartAt: 'Work',
    States: {
      Work: { ...state, Catch, Next: 'Done' },
      Done: { Type: 'Pass', Parameters: { done: true }, End: true },
      Caught: { Type: 'Succeed' },
    },
  });

  test("gives error and cause as AWS tells a function's error", async () => {
    const definition = caught([{ ErrorEquals: ['Broken'], Next: 'Caught', ResultPath: '$.error' }]);
    const { output } = await runToEnd(definition, { id: 7 }, { invoke: failing('Broken', 'It broke.') });
    expect(output).toEqual({
      id: 7,
      error: { Error: 'Broken', Cause: '{"errorType":"Broken","errorMessage":"It broke.","trace":[]}' },
    });
  });

  const outputs: [string, object, unknown][] = [
    [
      'replaces the input without a ResultPath',
      {},
      { Error: 'Lambda.TooManyRequestsException', Cause: 'Rate Exceeded.' },
    ],
    [
      'replaces the input with ResultPath "$"',
      { ResultPath: '$' },
      { Error: 'Lambda.TooManyRequestsException', Cause: 'Rate Exceeded.' },
    ],
    ['keeps the input with ResultPath null', { ResultPath: null }, { id: 7 }],
  ];
  test.each(outputs)('%s, and tells an error of Lambda itself as a sentence', async (_, fields, output) => {
    const definition = caught([{ ErrorEquals: ['States.ALL'], Next: 'Caught', ...fields }]);
    const result = await runToEnd(
      definition,
      { id: 7 },
      { invoke: failing('Lambda.TooManyRequestsException', 'Rate Exceeded.') },
    );
    expect(result.output).toEqual(output);
  });

  test('takes the first catcher that names the error, after the retries', async () => {
    const definition = caught(
      [
        { ErrorEquals: ['Other'], Next: 'Done' },
        { ErrorEquals: ['Sandbox.Timedout'], Next: 'Caught' },
        { ErrorEquals: ['States.ALL'], Next: 'Done' },
      ],
      { ...task, Retry: [{ ErrorEquals: ['Sandbox.Timedout'], MaxAttempts: 1 }] },
    );
    const { output, invocations } = await runToEnd(
      definition,
      {},
      { invoke: failing('Sandbox.Timedout', 'Task timed out after 3.00 seconds') },
    );
    expect(invocations).toHaveLength(2);
    expect(output).toEqual({
      Error: 'Sandbox.Timedout',
      Cause: '{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out after 3.00 seconds"}',
    });
  });

  test('does not see a path that leads nowhere', async () => {
    const definition = caught([{ ErrorEquals: ['States.ALL'], Next: 'Caught' }], {
      ...task,
      Parameters: { 'a.$': '$.missing' },
    });
    const { execution } = await runToEnd(definition, {});
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(execution.cause).toContain("'Work'");
  });

  test('sees a ResultPath that does not fit the input', async () => {
    const definition = caught([{ ErrorEquals: ['States.ResultPathMatchFailure'], Next: 'Caught' }], {
      ...task,
      ResultPath: '$.a',
    });
    expect((await runToEnd(definition, [1])).output).toMatchObject({ Error: 'States.ResultPathMatchFailure' });
  });

  test('a result of more than 256 KiB is States.DataLimitExceeded', async () => {
    const { execution } = await runToEnd(only(task), {}, { invoke: async () => 'x'.repeat(256 * 1024) });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });
});

describe('Timeouts', () => {
  const endless =
    (clock: { sleep: (ms: number, signal: AbortSignal) => Promise<void> }, seconds: number) =>
    async (_arn: string, _payload: unknown, { signal }: { signal: AbortSignal }) => {
      await clock.sleep(seconds * 1000, signal);
      return 'late';
    };

  test('a task without TimeoutSeconds may take a quarter of an hour', async () => {
    const opened = open(only(task), { invoke: async (...call) => endless(opened.clock, 900)(...call) });
    await start(opened.stepFunctions, 'one');
    await opened.stepFunctions.idle();
    expect(opened.changes.at(-1)).toMatchObject({ status: 'SUCCEEDED', output: '"late"' });
  });

  test.each([
    ['TimeoutSeconds', { TimeoutSeconds: 100 }],
    ['TimeoutSecondsPath', { TimeoutSecondsPath: '$.limit' }],
  ])('%s ends a task with States.Timeout and calls its invocation off', async (_, fields) => {
    let calledOff = 0;
    const state = { ...task, ...fields, Retry: [{ ErrorEquals: ['States.Timeout'], MaxAttempts: 1 }] };
    const opened = open(only(state), {
      invoke: async (...call) => {
        call[2].signal.addEventListener('abort', () => {
          calledOff += 1;
        });
        return endless(opened.clock, 900)(...call);
      },
    });
    await start(opened.stepFunctions, 'one', { limit: 100 });
    await opened.stepFunctions.idle();
    expect(times(opened.invocations)).toEqual([0, 101_000]);
    expect(calledOff).toBe(2);
    expect(opened.changes.at(-1)).toMatchObject({ status: 'FAILED', error: 'States.Timeout', cause: '' });
  });

  test("the machine's TimeoutSeconds ends the execution as TIMED_OUT and calls the invocation off", async () => {
    let calledOff = false;
    const opened = open(
      { ...only(task), TimeoutSeconds: 30 },
      {
        invoke: async (...call) => {
          call[2].signal.addEventListener('abort', () => {
            calledOff = true;
          });
          return endless(opened.clock, 900)(...call);
        },
      },
    );
    await start(opened.stepFunctions, 'one');
    await opened.stepFunctions.idle();
    expect(opened.changes.at(-1)).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout', output: null });
    expect(opened.clock.elapsed()).toBe(30_000);
    expect(calledOff).toBe(true);
  });
});

describe('a Fail state', () => {
  const cases: [string, object, unknown, object][] = [
    ['ends with its error and cause', { Error: 'E', Cause: 'C' }, {}, { error: 'E', cause: 'C' }],
    ['may have neither', {}, {}, { error: undefined, cause: undefined }],
    ['takes them from paths', { ErrorPath: '$.e', CausePath: '$.c' }, { e: 'E', c: 'C' }, { error: 'E', cause: 'C' }],
    [
      'and from functions',
      { Error: 'E', CausePath: "States.Format('{}!', $.c)" },
      { c: 'C' },
      { error: 'E', cause: 'C!' },
    ],
    ['which must give a text', { ErrorPath: '$.e' }, { e: 1 }, { error: 'States.Runtime' }],
  ];
  test.each(cases)('%s', async (_, fields, input, expected) => {
    const { execution } = await runToEnd({ StartAt: 'F', States: { F: { Type: 'Fail', ...fields } } }, input);
    expect(execution.status).toBe('FAILED');
    expect({ error: execution.error, cause: execution.cause }).toMatchObject(expected);
  });
});

describe('the 25,000 history events of an execution', () => {
  const polling = {
    StartAt: 'Check',
    States: {
      Check: { ...task, Next: 'Wait' },
      Wait: { Type: 'Wait', Seconds: 5, Next: 'Again' },
      Again: { Type: 'Choice', Choices: [], Default: 'Check' },
    },
  };
  const journalOf = (directory: string) => path.join(directory, 'running.jsonl');

  test('are counted as AWS writes them: nine a poll', async () => {
    const { stepFunctions, directory, invocations } = open(polling);
    await start(stepFunctions, 'one');
    await until(() => invocations.length === 4);
    await stepFunctions.close();
    const counts = readFileSync(journalOf(directory), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"state":"Check"') && line.includes('"kind":"enter"'))
      .map((line) => JSON.parse(line).entry.events);
    expect(counts).toEqual([15, 24, 33]);
  });

  test('end an endless loop', async () => {
    const first = open(polling);
    first.clock.stop();
    await start(first.stepFunctions, 'one');
    await until(() => first.clock.sleepers.size === 1);
    await first.stepFunctions.close();
    const journal = readFileSync(journalOf(first.directory), 'utf8');
    writeFileSync(journalOf(first.directory), journal.replace('"events":8', '"events":24990'));

    const second = open(polling, { directory: first.directory });
    await second.stepFunctions.resume();
    await second.stepFunctions.idle();
    expect(second.changes.at(-1)).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(second.changes.at(-1)?.cause).toContain('25000');
    expect(second.invocations).toHaveLength(1);
  });
});
