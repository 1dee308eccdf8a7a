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

describe('what is not supported is refused by its name', () => {
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
    ['a field of the machine', { ...only(task), QueryLanguage: 'JSONata' }, 'QueryLanguage'],
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
    ['another part of the context', only({ ...task, Parameters: { 'a.$': '$$.State.Name' } }), '$$.State.Name'],
    ['a path that is none', only({ ...task, Parameters: { 'a.$': { b: 1 } } }), 'Parameters.a.$'],
    ['a token without a wait for it', only({ ...task, Parameters: { 'a.$': '$$.Task.Token' } }), 'Parameters.a.$'],
    ['a parameter of UpdateItem', wait({ ReturnValues: 'ALL_NEW' }), 'Parameters.ReturnValues'],
    ['a path for all of the key', wait({ 'Key.$': '$.key' }), 'Parameters.Key.$'],
    ['an attribute of another type', wait({ Key: { pk: { BOOL: true } } }), 'Parameters.Key.pk'],
    [
      'an attribute without a type',
      wait({ ExpressionAttributeValues: { ':a': null } }),
      'ExpressionAttributeValues.:a',
    ],
    ['States.Runtime, which nothing handles', retry({ ErrorEquals: ['States.Runtime'] }), 'States.Runtime'],
    ['an error of heartbeats', retry({ ErrorEquals: ['States.HeartbeatTimeout'] }), 'States.HeartbeatTimeout'],
  ])('%s', (_, definition, ...names) => {
    for (const name of ['videos', ...names]) expect(() => readStateMachine('videos', definition)).toThrow(name);
  });
});

describe('what the specification forbids is refused', () => {
  test.each<[string, object, string]>([
    ['a start at nothing', { StartAt: 'B', States: { A: { Type: 'Succeed' } } }, 'StartAt: leads to B'],
    ['a Next to nothing', { StartAt: 'A', States: { A: { ...task, Next: 'B' } } }, 'A: leads to B'],
    ['a Catch to nothing', only({ ...task, Catch: [{ ...all, Next: 'B' }] }), 'Only: leads to B'],
    ['a choice of nothing', choice({ Variable: '$.a', StringEquals: 'x', Next: 'B' }), 'Choose: leads to B'],
    ['neither Next nor End', { StartAt: 'A', States: { A: task } }, 'States.A: has Next or End'],
    ['both Next and End', only({ ...task, Next: 'Only' }), 'States.Only: has Next or End'],
    ['two timeouts', only({ ...task, TimeoutSeconds: 1, TimeoutSecondsPath: '$.a' }), 'two timeouts'],
    ['a timeout of 0', only({ ...task, TimeoutSeconds: 0 }), 'TimeoutSeconds'],
    ['a part of a second', retry({ ...all, IntervalSeconds: 0.5 }), 'IntervalSeconds'],
    ['a negative count', retry({ ...all, MaxAttempts: -1 }), 'MaxAttempts'],
    ['a rate below 1', retry({ ...all, BackoffRate: 0.5 }), 'BackoffRate'],
    ['no error', retry({ ErrorEquals: [] }), 'ErrorEquals'],
    ['States.ALL before others', retry(all, { ErrorEquals: ['A'] }), 'Retry: States.ALL'],
    ['States.ALL beside others', retry({ ErrorEquals: ['A', 'States.ALL'] }), 'Retry: States.ALL'],
  ])('%s', (_, definition, message) => {
    expect(() => readStateMachine('videos', definition)).toThrow(message);
  });
});

test('all findings come at once', () => {
  const definition = {
    StartAt: 'A',
    States: { A: { ...task, HeartbeatSeconds: 5, End: true }, B: { Type: 'Wait', Seconds: 1, Next: 'A' } },
  };
  expect(() => readStateMachine('videos', definition)).toThrow(/HeartbeatSeconds.*\n.*the type Wait/);
});

test('the defaults are those of the specification', () => {
  const definition = only({ ...task, Retry: [all], Catch: [{ ...all, Next: 'Only' }] });
  expect(readStateMachine('videos', definition).States.Only).toMatchObject({
    Resource: functionArn('work'),
    ResultPath: '$',
    Retry: [{ IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 2 }],
    Catch: [{ ResultPath: '$' }],
  });
});
