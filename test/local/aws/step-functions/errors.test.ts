import { describe, expect, test } from 'vitest';
import { failing, failure, functionArn, only, open, runToEnd, start, task } from './support.ts';

// The tables follow https://states-language.net/spec.html#errors and the developer guide's "Handling errors".

const on = (...ErrorEquals: string[]) => ({ ErrorEquals });
const forever = (name: string) => async () => {
  throw failure(name);
};

describe('Retry', () => {
  test.each<[string, object[], string[], number[]]>([
    ['three times after 1, 2 and 4 s by default', [on('A')], ['A', 'A', 'A'], [0, 1, 3, 7]],
    [
      'by its interval and rate',
      [{ ...on('A'), IntervalSeconds: 10, BackoffRate: 1.5 }],
      ['A', 'A', 'A'],
      [0, 10, 25, 47.5],
    ],
    [
      'with at most MaxDelaySeconds between attempts',
      [{ ...on('A'), IntervalSeconds: 4, MaxDelaySeconds: 6 }],
      ['A', 'A', 'A'],
      [0, 4, 10, 16],
    ],
    ['for any error with States.ALL', [on('States.ALL')], ['A', 'B'], [0, 1, 3]],
    ['for an error of Lambda with States.TaskFailed', [on('States.TaskFailed')], ['Lambda.Unknown'], [0, 1]],
    [
      'by each retrier’s own count',
      [on('A'), { ...on('B'), IntervalSeconds: 100 }],
      ['A', 'B', 'A', 'B'],
      [0, 1, 101, 103, 303],
    ],
    ['by one count for all errors of a retrier', [on('A', 'B')], ['A', 'B', 'A'], [0, 1, 3, 7]],
  ])('%s', async (_, Retry, errors, seconds) => {
    const { attempts, execution } = await runToEnd(only({ ...task, Retry }), {}, { invokeFunction: failing(errors) });
    expect(attempts).toEqual(seconds.map((each) => each * 1000));
    expect(execution.status).toBe('SUCCEEDED');
  });

  test.each<[string, object[], string, number]>([
    ['MaxAttempts is used up', [{ ...on('A'), MaxAttempts: 2 }], 'A', 3],
    ['MaxAttempts is 0, even if another retrier follows', [{ ...on('A'), MaxAttempts: 0 }, on('States.ALL')], 'A', 1],
    ['no retrier matches the error', [on('B')], 'A', 1],
    ['the data is too large and only States.ALL is named', [on('States.ALL')], 'States.DataLimitExceeded', 1],
    [
      'the data is too large and only States.TaskFailed is named',
      [on('States.TaskFailed')],
      'States.DataLimitExceeded',
      1,
    ],
    [
      'the data is too large and the attempts of its retrier are used up',
      [on('States.DataLimitExceeded')],
      'States.DataLimitExceeded',
      4,
    ],
    ['the error is States.Runtime', [on('States.ALL')], 'States.Runtime', 1],
    ['the error is States.Runtime and States.TaskFailed is named', [on('States.TaskFailed')], 'States.Runtime', 1],
  ])('ends when %s', async (_, Retry, error, count) => {
    const { attempts, execution } = await runToEnd(only({ ...task, Retry }), {}, { invokeFunction: forever(error) });
    expect(attempts).toHaveLength(count);
    expect(execution).toMatchObject({ status: 'FAILED', error, output: null });
  });

  test("follows the specification's example: ErrorA, ErrorB, ErrorC, ErrorB", async () => {
    const { attempts, execution } = await runToEnd(
      {
        StartAt: 'X',
        States: {
          X: {
            ...task,
            Next: 'Y',
            Retry: [
              { ...on('ErrorA', 'ErrorB'), IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: 2 },
              { ...on('ErrorC'), IntervalSeconds: 5 },
            ],
            Catch: [{ ...on('States.ALL'), Next: 'Z' }],
          },
          Y: { Type: 'Succeed' },
          Z: { Type: 'Succeed' },
        },
      },
      {},
      { invokeFunction: failing(['ErrorA', 'ErrorB', 'ErrorC', 'ErrorB']) },
    );
    expect(attempts).toEqual([0, 1000, 3000, 8000]);
    expect(execution.output).toMatchObject({ Error: 'ErrorB' });
  });

  test('starts counting again at each visit of the state', async () => {
    const { attempts, execution } = await runToEnd(
      {
        StartAt: 'Check',
        States: {
          Check: { ...task, Retry: [{ ...on('A'), MaxAttempts: 1 }], Next: 'Choose' },
          Choose: {
            Type: 'Choice',
            Choices: [
              { Variable: '$.outcome', StringEquals: 'running', Next: 'Check' },
              { Variable: '$.outcome', StringEquals: 'succeeded', Next: 'Done' },
            ],
          },
          Done: { Type: 'Succeed' },
        },
      },
      {},
      {
        invokeFunction: (() => {
          const calls = ['A', 'running', 'A', 'succeeded'].values();
          return async () => {
            const outcome = calls.next().value!;
            if (outcome === 'A') throw failure('A');
            return { outcome };
          };
        })(),
      },
    );
    expect(attempts).toEqual([0, 1000, 1000, 2000]);
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: { outcome: 'succeeded' } });
  });

  test('does not happen after the execution was stopped during the delay', async () => {
    const { handle, begin, attempts, clock, executions } = open(only({ ...task, Retry: [on('States.ALL')] }), {
      invokeFunction: forever('A'),
    });
    const { executionArn } = (await begin()) as { executionArn: string };
    void clock.sleep(500).then(() => handle('StopExecution', { executionArn }));
    let over = false;
    void clock.sleep(10_000).then(() => {
      over = true;
    });
    await clock.run(() => over, Number.POSITIVE_INFINITY);
    expect(executions()).toMatchObject([{ status: 'ABORTED', stopped_at: start + 500 }]);
    expect(attempts).toEqual([0]);
  });
});

describe('Catch', () => {
  const caught = (Catch: object[], fields: object = {}) => ({
    StartAt: 'Work',
    States: {
      Work: { ...task, Catch, Next: 'Done', ...fields },
      Record: { Type: 'Task', Resource: functionArn('record'), End: true },
      Done: { Type: 'Succeed' },
    },
  });
  /** The first function fails, the others return their input. */
  const failFirst = (error: unknown) => ({
    invokeFunction: async (arn: string, payload: unknown) => {
      if (arn === functionArn('work')) throw error;
      return payload;
    },
  });

  test.each<[string, object, unknown]>([
    ['replaces the input', {}, { Error: 'Lambda.ServiceException', Cause: 'Try later.' }],
    ['replaces the input for "$"', { ResultPath: '$' }, { Error: 'Lambda.ServiceException', Cause: 'Try later.' }],
    ['keeps the input for null', { ResultPath: null }, { id: 7 }],
    [
      'adds to the input for a path',
      { ResultPath: '$.error' },
      { id: 7, error: { Error: 'Lambda.ServiceException', Cause: 'Try later.' } },
    ],
    [
      'creates the objects on the path',
      { ResultPath: '$.last.error' },
      { id: 7, last: { error: { Error: 'Lambda.ServiceException', Cause: 'Try later.' } } },
    ],
  ])('%s', async (_, fields, output) => {
    const definition = caught([{ ...on('States.ALL'), Next: 'Record', ...fields }]);
    const { execution } = await runToEnd(
      definition,
      { id: 7 },
      failFirst(failure('Lambda.ServiceException', 'Try later.')),
    );
    expect(execution.output).toEqual(output);
  });

  test.each<[string, unknown, string]>([
    [
      "a function's error",
      Object.assign(failure('WanDown', 'Wan is down.'), { trace: ['at one'] }),
      '{"errorType":"WanDown","errorMessage":"Wan is down.","trace":["at one"]}',
    ],
    ['an error without a trace', failure('WanDown', 'no'), '{"errorType":"WanDown","errorMessage":"no","trace":[]}'],
    [
      'a function that timed out',
      failure('Sandbox.Timedout', 'Task timed out after 3.00 seconds'),
      '{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out after 3.00 seconds"}',
    ],
    ['an error of the Lambda service', failure('Lambda.TooManyRequestsException', 'Rate Exceeded.'), 'Rate Exceeded.'],
  ])('gives the cause of %s', async (_, error, Cause) => {
    const { execution } = await runToEnd(caught([{ ...on('States.ALL'), Next: 'Record' }]), {}, failFirst(error));
    expect(execution.output).toEqual({ Error: (error as Error).name, Cause });
  });

  test.each<[string, string[], string | undefined]>([
    ['the first one that matches the error', ['B', 'A', 'States.ALL'], 'A'],
    ['States.ALL otherwise', ['B', 'States.ALL'], 'States.ALL'],
    ['States.TaskFailed for a task', ['B', 'States.TaskFailed'], 'States.TaskFailed'],
    ['none', ['B', 'States.Timeout'], undefined],
  ])('selects %s', async (_, names, expected) => {
    const definition = {
      StartAt: 'Work',
      States: {
        Work: { ...task, End: true, Catch: names.map((name) => ({ ...on(name), Next: name })) },
        ...Object.fromEntries(
          names.map((name) => [name, { Type: 'Task', Resource: functionArn(name.replace('.', '-')), End: true }]),
        ),
      },
    };
    const invoked: string[] = [];
    const { execution } = await runToEnd(
      definition,
      {},
      {
        invokeFunction: async (arn) => {
          invoked.push(arn);
          if (arn === task.Resource) throw failure('A');
          return null;
        },
      },
    );
    expect(invoked.slice(1)).toEqual(expected === undefined ? [] : [functionArn(expected.replace('.', '-'))]);
    expect(execution.status).toBe(expected === undefined ? 'FAILED' : 'SUCCEEDED');
  });

  test.each(['States.Runtime', 'States.DataLimitExceeded'])('States.ALL does not match %s', async (error) => {
    const definition = caught([{ ...on('States.ALL'), Next: 'Record' }]);
    const { execution } = await runToEnd(definition, {}, failFirst(failure(error)));
    expect(execution).toMatchObject({ status: 'FAILED', error });
  });

  test('handles a result that cannot be placed in the input', async () => {
    const definition = caught([{ ...on('States.ResultPathMatchFailure'), Next: 'Record' }], { ResultPath: '$.a.b' });
    const { execution } = await runToEnd(definition, { a: 1 });
    expect(execution.output).toMatchObject({ Error: 'States.ResultPathMatchFailure' });
  });
});

describe('the interpreter’s own errors', () => {
  const choice = {
    StartAt: 'Choose',
    States: {
      Choose: { Type: 'Choice', Choices: [{ Variable: '$.a.b', StringEquals: 'x', Next: 'Done' }] },
      Done: { Type: 'Succeed' },
    },
  };
  const large = 'x'.repeat(256 * 1024 - '{"a":""}'.length);

  test.each<[string, object, unknown, string]>([
    ['a choice without a match', choice, { a: { b: 'y' } }, 'States.NoChoiceMatched'],
    ['a choice of a number', choice, { a: { b: 1 } }, 'States.NoChoiceMatched'],
    ['a choice of a missing value', choice, { a: 1 }, 'States.Runtime'],
    ['a parameter of a missing value', only({ ...task, Parameters: { 'a.$': '$.b' } }), {}, 'States.Runtime'],
    ['an inherited property', only({ ...task, Parameters: { 'a.$': '$.constructor' } }), {}, 'States.Runtime'],
    ['a timeout of a missing value', only({ ...task, TimeoutSecondsPath: '$.t' }), {}, 'States.Runtime'],
    ['a timeout of 0', only({ ...task, TimeoutSecondsPath: '$.t' }), { t: 0 }, 'States.Runtime'],
    ['a timeout of a fraction of a second', only({ ...task, TimeoutSecondsPath: '$.t' }), { t: 0.5 }, 'States.Runtime'],
    ['a timeout as text', only({ ...task, TimeoutSecondsPath: '$.t' }), { t: '5' }, 'States.Runtime'],
    [
      'parameters of more than 256 KiB',
      only({ ...task, Parameters: { 'a.$': '$', b: 1 } }),
      large,
      'States.DataLimitExceeded',
    ],
    ['an output of more than 256 KiB', only({ ...task, ResultPath: '$.b' }), { a: large }, 'States.DataLimitExceeded'],
  ])('%s', async (_, definition, input, error) => {
    const { execution } = await runToEnd(definition, input, { invokeFunction: async () => ({}) });
    expect(execution).toMatchObject({ status: 'FAILED', error });
    if (error === 'States.Runtime') expect(execution.cause).toMatch(/while executing the state '(Only|Choose)'/);
  });

  test('a result may have 256 KiB but not one byte more', async () => {
    const result = (length: number) => runToEnd(only(task), {}, { invokeFunction: async () => 'x'.repeat(length) });
    expect((await result(256 * 1024 - 2)).execution.status).toBe('SUCCEEDED');
    expect((await result(256 * 1024 - 1)).execution).toMatchObject({ error: 'States.DataLimitExceeded' });
  });
});

describe('timeouts', () => {
  const never = { invokeFunction: () => new Promise(() => undefined) };

  test.each<[string, object]>([
    ['TimeoutSeconds', { TimeoutSeconds: 100 }],
    ['TimeoutSecondsPath', { TimeoutSecondsPath: '$.limits.seconds' }],
  ])('%s ends an attempt with States.Timeout and restarts for the next attempt', async (_, fields) => {
    const state = { ...task, ...fields, Retry: [{ ...on('States.Timeout'), MaxAttempts: 1 }] };
    const { attempts, execution, clock } = await runToEnd(only(state), { limits: { seconds: 100 } }, never);
    expect(attempts).toEqual([0, 101_000]);
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.Timeout', cause: '' });
    expect(execution.stopped_at! - execution.started_at).toBe(201_000);
    expect(clock.now()).toBe(execution.stopped_at);
  });

  test('States.TaskFailed does not include States.Timeout', async () => {
    const state = { ...task, TimeoutSeconds: 5, Retry: [on('States.TaskFailed')] };
    expect((await runToEnd(only(state), {}, never)).attempts).toEqual([0]);
  });

  test('a task without a timeout may take days', async () => {
    const opened = open(only(task), { invokeFunction: async () => opened.clock.sleep(40 * 24 * 3600 * 1000) });
    await opened.begin();
    expect(await opened.ended()).toMatchObject({ status: 'SUCCEEDED', output: null });
  });

  test('a result or error after the timeout has no effect', async () => {
    const opened = open(only({ ...task, TimeoutSeconds: 5, Retry: [on('States.Timeout')] }), {
      invokeFunction: async () => {
        const late = opened.attempts.length === 1;
        await opened.clock.sleep(late ? 6500 : 2000);
        if (late) throw failure('Late');
        return 'in time';
      },
    });
    await opened.begin();
    expect(await opened.ended()).toMatchObject({ status: 'SUCCEEDED', output: 'in time' });
  });

  test("the state machine's timeout ends the execution as TIMED_OUT without Retry or Catch", async () => {
    const state = { ...task, Retry: [on('States.ALL')], Catch: [{ ...on('States.ALL'), Next: 'Only' }] };
    const { execution, attempts } = await runToEnd({ ...only(state), TimeoutSeconds: 3 * 24 * 3600 }, {}, never);
    expect(execution).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout', cause: null, output: null });
    expect(execution.stopped_at! - execution.started_at).toBe(3 * 24 * 3600 * 1000);
    expect(attempts).toEqual([0]);
  });
});
