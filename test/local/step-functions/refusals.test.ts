import { describe, expect, test } from 'vitest';
import { functionArn, only, open } from './support.ts';

const task = { Type: 'Task', Resource: functionArn('work') };
const lambdaInvoke = (parameters: object) =>
  only({ ...task, Resource: 'arn:aws:states:::lambda:invoke', Parameters: parameters });
const resource = (arn: string) => only({ ...task, Resource: arn });

describe('what the engine would swallow is refused at creation, by name', () => {
  const cases: [string, object, string | RegExp][] = [
    ['JSONata for the machine', { ...only(task), QueryLanguage: 'JSONata' }, 'QueryLanguage "JSONata"'],
    ['JSONata for a state', only({ ...task, QueryLanguage: 'JSONata' }), 'Only: QueryLanguage "JSONata"'],
    ["JSONata's Arguments", only({ ...task, Arguments: {} }), 'Only: Arguments'],
    ["JSONata's Output", only({ ...task, Output: {} }), 'Only: Output'],
    ['Assign', only({ ...task, Assign: { a: 1 } }), 'Only: Assign'],
    [
      'Assign in a Catch',
      only({ ...task, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Only', Assign: {} }] }),
      'Only.Catch[0]: Assign',
    ],
    ['$$.State', only({ ...task, Parameters: { 'a.$': '$$.State.EnteredTime' } }), '$$.State.EnteredTime'],
    [
      '$$.State within a function',
      only({ ...task, Parameters: { a: [{ 'b.$': "States.Format('{}', $$.State.Name)" }] } }),
      'Parameters.a[0].b.$: $$.State.Name',
    ],
    ['$$.Task.Token', only({ ...task, InputPath: '$$.Task.Token' }), '$$.Task.Token'],
    ['the whole context object', only({ ...task, Parameters: { 'a.$': '$$' } }), '$$'],
    ['the context object by brackets', only({ ...task, Parameters: { 'a.$': "$$['Execution']['Id']" } }), '$$['],
    ['.sync', resource('arn:aws:states:::ecs:runTask.sync'), 'ecs:runTask.sync'],
    ['.waitForTaskToken', resource('arn:aws:states:::lambda:invoke.waitForTaskToken'), 'waitForTaskToken'],
    ['another service', resource('arn:aws:states:::dynamodb:putItem'), 'dynamodb:putItem'],
    ['an AWS SDK integration', resource('arn:aws:states:::aws-sdk:s3:getObject'), 'aws-sdk:s3:getObject'],
    ['an activity', resource('arn:aws:states:us-east-1:000000000000:activity:a'), 'activity:a'],
    [
      'a Distributed Map',
      only({ Type: 'Map', ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED' } } }),
      'Only: a Distributed Map',
    ],
    ['a Map', only({ Type: 'Map' }), 'Only: a Map state'],
    ['Parallel', only({ Type: 'Parallel', Branches: [] }), 'Only: a Parallel state'],
    ['HeartbeatSeconds', only({ ...task, HeartbeatSeconds: 5 }), 'Only: HeartbeatSeconds'],
    ['HeartbeatSecondsPath', only({ ...task, HeartbeatSecondsPath: '$.h' }), 'Only: HeartbeatSecondsPath'],
    ['Credentials', only({ ...task, Credentials: {} }), 'Only: Credentials'],
    [
      'a field of a retrier',
      only({ ...task, Retry: [{ ErrorEquals: ['A'], Interval: 1 }] }),
      'Only.Retry[0]: Interval',
    ],
    ['a field of the machine', { ...only(task), ProcessorConfig: {} }, 'the definition: ProcessorConfig'],
    [
      'ResultSelector where it has no effect on AWS',
      only({ Type: 'Pass', ResultSelector: {} }),
      'Only: ResultSelector',
    ],
    [
      'a function that the engine lacks',
      only({ Type: 'Pass', Parameters: { 'a.$': 'States.Shout($.a)' } }),
      'States.Shout',
    ],
    [
      "a template's value that is no path",
      only({ Type: 'Pass', Parameters: { 'a.$': 'a' } }),
      'Parameters.a.$ is no path',
    ],
    [
      'a comparison that the engine lacks',
      {
        StartAt: 'C',
        States: { C: { Type: 'Choice', Choices: [{ Variable: '$.a', StringContains: 'x', Next: 'C' }] } },
      },
      'C: Choices[0]: StringContains',
    ],
    [
      '$$.State in a nested rule',
      {
        StartAt: 'C',
        States: { C: { Type: 'Choice', Choices: [{ Not: { Variable: '$$.State.Name', IsNull: true }, Next: 'C' }] } },
      },
      'C: Choices[0].Not.Variable: $$.State.Name',
    ],
    [
      'an asynchronous invocation',
      lambdaInvoke({ FunctionName: 'f', InvocationType: 'Event' }),
      'InvocationType "Event"',
    ],
    ['a client context', lambdaInvoke({ FunctionName: 'f', ClientContext: 'x' }), 'ClientContext'],
    ['lambda:invoke without a function', lambdaInvoke({ Payload: {} }), 'FunctionName'],
    ['a Wait for nothing', only({ Type: 'Wait' }), 'Only: a Wait has one of'],
    ['a Wait until no time', only({ Type: 'Wait', Timestamp: 'tomorrow' }), 'Only: Timestamp "tomorrow"'],
    ['a way to nowhere', { StartAt: 'A', States: { A: { Type: 'Pass', Next: 'B' } } }, 'A.Next names no state ("B")'],
    ['a start at nowhere', { StartAt: 'B', States: { A: { Type: 'Succeed' } } }, 'StartAt names no state ("B")'],
    ['a type that is none', only({ Type: 'Sleep' }), 'Only: "Sleep" is no type'],
  ];
  test.each(cases)('%s', (_, definition, named) => {
    expect(() => open(definition)).toThrow(named);
  });

  test('all findings at once', () => {
    const definition = only({ ...task, Assign: {}, HeartbeatSeconds: 1, Parameters: { 'a.$': '$$.State.Name' } });
    for (const named of ['Assign', 'HeartbeatSeconds', '$$.State.Name']) expect(() => open(definition)).toThrow(named);
  });
});

test('text that looks like a reference is none', async () => {
  const definition = only({
    Type: 'Pass',
    Comment: '$$.State.Name',
    Parameters: { a: '$$.State.Name', 'b.$': "States.Format('$$.State.Name')", 'c.$': '$.States.a' },
  });
  const { stepFunctions } = open(definition);
  await stepFunctions.close();
});
