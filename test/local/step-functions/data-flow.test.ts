import { describe, expect, test } from 'vitest';
import { executionArn, functionArn, machineArn, only, open, runToEnd, start, startOfTime, until } from './support.ts';

const task = { Type: 'Task', Resource: functionArn('work') };

describe('data flows through a state as on AWS', () => {
  const cases: [string, object, unknown, unknown][] = [
    ['a Task by ARN gives its input to the function and its result on', task, { a: 1 }, { a: 1 }],
    [
      'Parameters and ResultSelector are applied',
      { ...task, Parameters: { 'b.$': '$.a' }, ResultSelector: { 'c.$': '$.b' } },
      { a: 1 },
      { c: 1 },
    ],
    [
      'ResultPath adds to the input',
      { ...task, Parameters: { x: 1 }, ResultPath: '$.r.s' },
      { a: 1 },
      { a: 1, r: { s: { x: 1 } } },
    ],
    ['ResultPath "$" replaces the input', { ...task, Parameters: { x: 1 }, ResultPath: '$' }, { a: 1 }, { x: 1 }],
    [
      'ResultPath takes brackets',
      { ...task, Parameters: { x: 1 }, ResultPath: "$['r s']" },
      { a: 1 },
      { a: 1, 'r s': { x: 1 } },
    ],
    ['ResultPath null keeps the input', { ...task, Parameters: { x: 1 }, ResultPath: null }, { a: 1 }, { a: 1 }],
    ['InputPath and OutputPath cut', { ...task, InputPath: '$.a', OutputPath: '$.b' }, { a: { b: 2 } }, 2],
    ['InputPath and OutputPath "$" let null through', { Type: 'Pass', InputPath: '$', OutputPath: '$' }, null, null],
    ['a Pass gives a Result that is false', { Type: 'Pass', Result: false }, { a: 1 }, false],
    [
      'a Pass gives a Result that is 0 into a ResultPath',
      { Type: 'Pass', Result: 0, ResultPath: '$.n' },
      { a: 1 },
      { a: 1, n: 0 },
    ],
    [
      'intrinsic functions',
      { Type: 'Pass', Parameters: { 'n.$': "States.Format('{}-{}', $.a, States.MathAdd($.b, 1))" } },
      { a: 'x', b: 1 },
      { n: 'x-2' },
    ],
    [
      'a quoted $$.Execution is text',
      { Type: 'Pass', Parameters: { 'n.$': "States.Format('$$.Execution.Id {}', $$.Execution.Name)" } },
      {},
      { n: '$$.Execution.Id one' },
    ],
  ];
  test.each(cases)('%s', async (_, state, input, output) => {
    expect((await runToEnd(only(state), input)).output).toEqual(output);
  });

  test('a function that answers nothing gives null', async () => {
    expect((await runToEnd(only(task), {}, { invoke: async () => undefined })).output).toBeNull();
  });
});

test("lambda:invoke calls the named function with the payload and answers in the integration's form", async () => {
  const state = {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: functionArn('work'), 'Payload.$': '$.p' },
  };
  const { output, invocations } = await runToEnd(only(state), { p: { a: 1 } });
  expect(invocations).toEqual([{ function: functionArn('work'), payload: { a: 1 }, at: 0 }]);
  expect(output).toMatchObject({ Payload: { a: 1 }, StatusCode: 200, ExecutedVersion: '$LATEST' });
});

describe('the context object', () => {
  const template = {
    'id.$': '$$.Execution.Id',
    'name.$': '$$.Execution.Name',
    'input.$': '$$.Execution.Input',
    'field.$': '$$.Execution.Input.video',
    'start.$': '$$.Execution.StartTime',
    'machine.$': '$$.StateMachine.Id',
    'machineName.$': '$$.StateMachine.Name',
  };
  const definition = {
    StartAt: 'Change',
    States: {
      Change: { Type: 'Pass', Result: { other: true }, Next: 'Wait' },
      Wait: { Type: 'Wait', Seconds: 10, Next: 'Tell' },
      Tell: { ...task, Parameters: template, End: true },
    },
  };
  const context = {
    id: executionArn('one'),
    name: 'one',
    input: { video: 7 },
    field: 7,
    start: new Date(startOfTime).toISOString(),
    machine: machineArn,
    machineName: 'workflow',
  };

  test("tells of the execution's own start and input in a later state", async () => {
    expect((await runToEnd(definition, { video: 7 })).output).toEqual(context);
  });

  test('is the same after a restart', async () => {
    const first = open(definition);
    first.clock.stop();
    await start(first.stepFunctions, 'one', { video: 7 });
    await until(() => first.clock.sleepers.size === 1);
    await first.stepFunctions.close();
    const second = open(definition, { directory: first.directory });
    second.clock.advance(60_000);
    await second.stepFunctions.resume();
    await second.stepFunctions.idle();
    expect(second.invocations.map(({ payload }) => payload)).toEqual([context]);
  });
});

describe('a Choice compares as AWS does', () => {
  const cases: [string, object, unknown, 'Yes' | 'No'][] = [
    ['StringEquals', { Variable: '$.a', StringEquals: 'x' }, { a: 'x' }, 'Yes'],
    ['StringEquals of another type is false', { Variable: '$.a', StringEquals: '1' }, { a: 1 }, 'No'],
    ['StringMatches with a wildcard', { Variable: '$.a', StringMatches: 'log-*.txt' }, { a: 'log-1.txt' }, 'Yes'],
    ['StringMatches takes ? literally', { Variable: '$.a', StringMatches: 'a?' }, { a: 'ab' }, 'No'],
    ['StringMatches of a number is false', { Variable: '$.a', StringMatches: '*' }, { a: 1 }, 'No'],
    ['NumericGreaterThan', { Variable: '$.a', NumericGreaterThan: 2 }, { a: 3 }, 'Yes'],
    ['NumericLessThan of null is false', { Variable: '$.a', NumericLessThan: 2 }, { a: null }, 'No'],
    ['NumericLessThan of a text is false', { Variable: '$.a', NumericLessThan: 9 }, { a: '1' }, 'No'],
    ['NumericEqualsPath', { Variable: '$.a', NumericEqualsPath: '$.b' }, { a: 3, b: 3 }, 'Yes'],
    [
      'TimestampLessThanEqualsPath',
      { Variable: '$.a', TimestampLessThanEqualsPath: '$.b' },
      { a: '2026-01-01T00:00:00Z', b: '2026-01-01T01:00:00+01:00' },
      'Yes',
    ],
    [
      'TimestampLessThan of no timestamp is false',
      { Variable: '$.a', TimestampLessThan: '2026-01-01T00:00:00Z' },
      { a: 'soon' },
      'No',
    ],
    ['BooleanEquals', { Variable: '$.a', BooleanEquals: false }, { a: false }, 'Yes'],
    ['IsPresent: false of an absent field', { Variable: '$.a', IsPresent: false }, {}, 'Yes'],
    ['IsPresent: false of a present field', { Variable: '$.a', IsPresent: false }, { a: 1 }, 'No'],
    ['IsNull: false', { Variable: '$.a', IsNull: false }, { a: 1 }, 'Yes'],
    ['Not', { Not: { Variable: '$.a', StringEquals: 'x' } }, { a: 'y' }, 'Yes'],
    [
      'And',
      {
        And: [
          { Variable: '$.a', IsPresent: true },
          { Variable: '$.a', IsString: true },
        ],
      },
      { a: 'y' },
      'Yes',
    ],
    [
      'Or',
      {
        Or: [
          { Variable: '$.a', IsPresent: false },
          { Variable: '$.a', NumericEquals: 2 },
        ],
      },
      { a: 3 },
      'No',
    ],
    ['the context object', { Variable: '$$.Execution.Name', StringEquals: 'one' }, {}, 'Yes'],
  ];
  test.each(cases)('%s', async (_, rule, input, expected) => {
    const definition = {
      StartAt: 'Choose',
      States: {
        Choose: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
        Yes: { Type: 'Pass', Result: 'Yes', End: true },
        No: { Type: 'Pass', Result: 'No', End: true },
      },
    };
    expect((await runToEnd(definition, input)).output).toBe(expected);
  });

  test('and gives its input on, null as well', async () => {
    const definition = {
      StartAt: 'Choose',
      States: { Choose: { Type: 'Choice', Choices: [], Default: 'Done' }, Done: { Type: 'Succeed' } },
    };
    expect((await runToEnd(definition, null)).output).toBeNull();
  });

  test('without a match the execution fails by name', async () => {
    const definition = {
      StartAt: 'Choose',
      States: {
        Choose: { Type: 'Choice', Choices: [{ Variable: '$.a', IsNull: true, Next: 'Done' }] },
        Done: { Type: 'Succeed' },
      },
    };
    const { execution } = await runToEnd(definition, { a: 1 });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.NoChoiceMatched' });
  });
});
