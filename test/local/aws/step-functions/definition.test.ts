import { describe, expect, test } from 'vitest';
import { readStateMachine } from '../../../../local/aws/step-functions/definition.ts';
import { functionArn, only, task } from './support.ts';

const resource = (Resource: string) => only({ ...task, Resource });
const wait = (Parameters: object) =>
  only({ ...task, Resource: 'arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken', Parameters });
const choice = (rule: object, fields: object = {}) => ({
  StartAt: 'Choose',
  States: { Choose: { Type: 'Choice', Choices: [{ Next: 'Choose', ...rule }], ...fields } },
});
const retry = (...Retry: object[]) => only({ ...task, Retry });
const all = { ErrorEquals: ['States.ALL'] };

describe('an unsupported part is rejected by name', () => {
  test.each<[string, object, ...string[]]>([
    ...['Wait', 'Pass', 'Fail', 'Map', 'Parallel', 'Sleep'].map((Type): [string, object, string] => [
      `the type ${Type}`,
      only({ Type }),
      `the type ${Type} is not supported`,
    ]),
    ...[
      'InputPath',
      'OutputPath',
      'ResultSelector',
      'HeartbeatSeconds',
      'HeartbeatSecondsPath',
      'Credentials',
      'Assign',
      'Arguments',
      'Output',
      'QueryLanguage',
    ].map((field): [string, object, string, string] => [
      `a task's ${field}`,
      only({ ...task, [field]: '$' }),
      'Only',
      field,
    ]),
    ['a field of the state machine', { ...only(task), QueryLanguage: 'JSONata' }, 'QueryLanguage'],
    ['a field of a Choice', choice({ Variable: '$.a', StringEquals: 'x' }, { Default: 'Choose' }), 'Default'],
    ['a field of a Succeed', { StartAt: 'A', States: { A: { Type: 'Succeed', OutputPath: '$' } } }, 'OutputPath'],
    ['a field of a retrier', retry({ ...all, JitterStrategy: 'FULL' }), 'Only.Retry.0', 'JitterStrategy'],
    [
      'a field of a catcher',
      only({ ...task, Catch: [{ ...all, Next: 'Only', Assign: {} }] }),
      'Only.Catch.0',
      'Assign',
    ],
    ['a comparison', choice({ Variable: '$.a', NumericEquals: 1 }), 'NumericEquals'],
    ['And', choice({ And: [] }), 'And'],
    ...[
      'arn:aws:states:::lambda:invoke',
      'arn:aws:states:::lambda:invoke.waitForTaskToken',
      'arn:aws:states:::dynamodb:updateItem',
      'arn:aws:states:::aws-sdk:dynamodb:updateItem',
      'arn:aws:states:::aws-sdk:dynamodb:putItem.waitForTaskToken',
      'arn:aws:states:::ecs:runTask.sync',
      'arn:aws:states:us-east-1:000000000000:activity:a',
    ].map((arn): [string, object, string] => [arn, resource(arn), arn]),
    ['a path with an index', only({ ...task, TimeoutSecondsPath: '$.a[0]' }), 'TimeoutSecondsPath'],
    ['a path with brackets', only({ ...task, ResultPath: "$['a']" }), 'ResultPath'],
    ['a path with a wildcard', choice({ Variable: '$..a', StringEquals: 'x' }), 'Variable'],
    [
      'an intrinsic function',
      only({ ...task, Parameters: { a: [{ 'b.$': 'States.UUID()' }] } }),
      'Parameters.a.0.b.$',
      'States.UUID()',
    ],
    ['another field of the context object', only({ ...task, Parameters: { 'a.$': '$$.State.Name' } }), '$$.State.Name'],
    ['an invalid path', only({ ...task, Parameters: { 'a.$': { b: 1 } } }), 'Parameters.a.$'],
    [
      'a task token in a task that does not wait for it',
      only({ ...task, Parameters: { 'a.$': '$$.Task.Token' } }),
      'Parameters.a.$',
    ],
    ['an unsupported parameter of UpdateItem', wait({ ReturnValues: 'ALL_NEW' }), 'Parameters.ReturnValues'],
    ['a path for the whole key', wait({ 'Key.$': '$.key' }), 'Parameters.Key.$'],
    ['an attribute of an unsupported type', wait({ Key: { pk: { BOOL: true } } }), 'Parameters.Key.pk'],
    [
      'an attribute without a type',
      wait({ ExpressionAttributeValues: { ':a': null } }),
      'ExpressionAttributeValues.:a',
    ],
    ['States.Runtime, which cannot be handled', retry({ ErrorEquals: ['States.Runtime'] }), 'States.Runtime'],
    ['an error of heartbeat timeouts', retry({ ErrorEquals: ['States.HeartbeatTimeout'] }), 'States.HeartbeatTimeout'],
  ])('%s', (_, definition, ...names) => {
    for (const name of ['videos', ...names]) expect(() => readStateMachine('videos', definition)).toThrow(name);
  });
});

describe('a violation of the specification is rejected', () => {
  test.each<[string, object, string]>([
    ['StartAt with a missing state', { StartAt: 'B', States: { A: { Type: 'Succeed' } } }, 'StartAt: refers to B'],
    ['Next with a missing state', { StartAt: 'A', States: { A: { ...task, Next: 'B' } } }, 'A: refers to B'],
    ['Catch with a missing state', only({ ...task, Catch: [{ ...all, Next: 'B' }] }), 'Only: refers to B'],
    ['a choice of a missing state', choice({ Variable: '$.a', StringEquals: 'x', Next: 'B' }), 'Choose: refers to B'],
    ['neither Next nor End', { StartAt: 'A', States: { A: task } }, 'States.A: needs either Next or End'],
    ['both Next and End', only({ ...task, Next: 'Only' }), 'States.Only: needs either Next or End'],
    [
      'two timeouts',
      only({ ...task, TimeoutSeconds: 1, TimeoutSecondsPath: '$.a' }),
      'has both TimeoutSeconds and TimeoutSecondsPath',
    ],
    ['a timeout of 0', only({ ...task, TimeoutSeconds: 0 }), 'TimeoutSeconds'],
    ['a fraction of a second', retry({ ...all, IntervalSeconds: 0.5 }), 'IntervalSeconds'],
    ['a negative count', retry({ ...all, MaxAttempts: -1 }), 'MaxAttempts'],
    ['a rate below 1', retry({ ...all, BackoffRate: 0.5 }), 'BackoffRate'],
    ['an empty list of errors', retry({ ErrorEquals: [] }), 'ErrorEquals'],
    ['States.ALL before the last item', retry(all, { ErrorEquals: ['A'] }), 'Retry: States.ALL'],
    ['States.ALL together with another error', retry({ ErrorEquals: ['A', 'States.ALL'] }), 'Retry: States.ALL'],
  ])('%s', (_, definition, message) => {
    expect(() => readStateMachine('videos', definition)).toThrow(message);
  });
});

test('all issues are reported together', () => {
  const definition = {
    StartAt: 'A',
    States: { A: { ...task, HeartbeatSeconds: 5, End: true }, B: { Type: 'Wait', Seconds: 1, Next: 'A' } },
  };
  expect(() => readStateMachine('videos', definition)).toThrow(/HeartbeatSeconds.*\n.*the type Wait/);
});

test('the defaults match the specification', () => {
  const definition = only({ ...task, Retry: [all], Catch: [{ ...all, Next: 'Only' }] });
  expect(readStateMachine('videos', definition).States.Only).toMatchObject({
    Resource: functionArn('work'),
    ResultPath: '$',
    Retry: [{ IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 2 }],
    Catch: [{ ResultPath: '$' }],
  });
});
