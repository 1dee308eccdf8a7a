// @ts-expect-error The package has no declarations.
import aslValidator from 'asl-validator';
import { beforeAll, describe, expect, test } from 'vitest';
import { errorNames } from '../../../functions/shared/errors.ts';
import type { Template } from '../../../infra/synth/render-template.ts';
import { definitionOf, type Found, resourcesOf, synthesizeStandIns } from '../support.ts';

interface Retrier {
  ErrorEquals: string[];
  IntervalSeconds: number;
  MaxAttempts: number;
  BackoffRate: number;
  MaxDelaySeconds?: number;
}
interface State {
  Type: string;
  Resource?: string;
  TimeoutSeconds?: number;
  Retry?: Retrier[];
  Catch?: { ErrorEquals: string[]; ResultPath: string; Next: string }[];
  Choices?: { Variable: string; StringEquals: string; Next: string }[];
  Next?: string;
  TimeoutSecondsPath?: string;
  ResultPath?: string | null;
  Parameters?: Record<string, unknown>;
}
interface Definition {
  StartAt: string;
  States: Record<string, State>;
  TimeoutSeconds: number;
}

/** The error names that AWS documents for Step Functions and for Lambda tasks. */
const documentedNames = [
  'States.ALL',
  'States.Timeout',
  'Lambda.TooManyRequestsException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.Unknown',
  'Sandbox.Timedout',
  'Runtime.ExitError',
  'Runtime.OutOfMemory',
];

/** The error names that AWS documents for a task that calls DynamoDB and waits for a token. */
const namesOfWait = ['States.TaskFailed', 'DynamoDb.ConditionalCheckFailedException'];

const hour = 3600;
const tasks = ['CreateTask', 'CheckTask', 'ArchiveVideo', 'RecordFailure'];

let template: Template;
let definition: Definition;
beforeAll(async () => {
  ({ template } = await synthesizeStandIns());
  definition = definitionOf(template) as typeof definition;
});

const retrierOf = (state: string, error: string): Retrier =>
  definition.States[state]!.Retry!.find(({ ErrorEquals }) => ErrorEquals.includes(error))!;

/** Returns the seconds from the first attempt to the last, without the duration of the attempts. */
function totalDelayOf({
  IntervalSeconds,
  MaxAttempts,
  BackoffRate,
  MaxDelaySeconds = Number.POSITIVE_INFINITY,
}: Retrier): number {
  const waits = Array.from({ length: MaxAttempts }, (_, attempt) =>
    Math.min(IntervalSeconds * BackoffRate ** attempt, MaxDelaySeconds),
  );
  return waits.reduce((sum, wait) => sum + wait, 0);
}

describe('the state machine', () => {
  test('and any other of the template is valid Amazon States Language', () => {
    const machines = resourcesOf(template, 'AWS::StepFunctions::StateMachine');
    expect(machines.map(({ id }) => id)).toContain('StateMachine');
    for (const { id } of machines) {
      const { isValid, errorsText } = aslValidator(definitionOf(template, id), { checkPaths: true, checkArn: true });
      expect([id, isValid ? '' : errorsText('\n')]).toEqual([id, '']);
    }
  });

  test('has the transitions of the design', () => {
    const transitions = Object.fromEntries(
      Object.entries(definition.States).map(([name, { Next, Choices }]) => [
        name,
        Next ??
          Object.fromEntries(
            Choices?.map((choice) => [`${choice.Variable}=${choice.StringEquals}`, choice.Next]) ?? [],
          ),
      ]),
    );
    expect(definition.StartAt).toBe('CreateTask');
    expect(transitions).toEqual({
      CreateTask: 'TaskCreated',
      TaskCreated: {
        '$.outcome=created': 'WaitForEnd',
        '$.outcome=succeeded': 'ArchiveVideo',
        '$.outcome=failed': 'RecordFailure',
        '$.outcome=settled': 'Done',
      },
      WaitForEnd: 'CheckTask',
      CheckTask: 'TaskChecked',
      TaskChecked: {
        '$.outcome=running': 'WaitForEnd',
        '$.outcome=succeeded': 'ArchiveVideo',
        '$.outcome=failed': 'RecordFailure',
        '$.outcome=settled': 'Done',
      },
      ArchiveVideo: 'Done',
      RecordFailure: 'Done',
      Done: {},
    });
  });

  test("invokes each function through its alias, with a longer timeout than the function's", () => {
    for (const name of tasks) {
      const { Resource, TimeoutSeconds } = definition.States[name]!;
      const alias = template.Resources[Resource!.split(':').at(-1)!]!;
      expect(alias).toMatchObject({ Type: 'AWS::Lambda::Alias', Properties: { Name: 'live' } });
      const { Ref } = (alias.Properties as { FunctionName: { Ref: string } }).FunctionName;
      expect(TimeoutSeconds).toBeGreaterThan(template.Resources[Ref]!.Properties!.Timeout as number);
    }
  });

  test('matches only error names that are thrown or documented', () => {
    const known = new Set([...Object.values<string>(errorNames), ...documentedNames, ...namesOfWait]);
    for (const { Retry = [], Catch = [] } of Object.values(definition.States)) {
      for (const { ErrorEquals } of [...Retry, ...Catch])
        expect(ErrorEquals.filter((name) => !known.has(name))).toEqual([]);
    }
  });

  test('sleeps with a token, and continues with CheckTask however the sleep ends or fails', () => {
    const { Type, Resource, Retry, Catch, ...state } = definition.States.WaitForEnd!;
    expect(Resource).toBe('arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken');
    expect(state).toMatchObject({ TimeoutSecondsPath: '$.wait.timeout_seconds', ResultPath: null, Next: 'CheckTask' });
    expect(Catch).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'CheckTask' }]);
    expect(Retry).toEqual([
      { ErrorEquals: ['DynamoDb.ConditionalCheckFailedException'], MaxAttempts: 0 },
      { ErrorEquals: ['States.TaskFailed'], IntervalSeconds: 5, BackoffRate: 2, MaxDelaySeconds: 60, MaxAttempts: 10 },
    ]);
  });

  test('writes the wait item of the video with token and index keys, unless a newer run has it', () => {
    const { Parameters } = definition.States.WaitForEnd!;
    expect(Parameters).toEqual({
      TableName: 'VideosTable',
      Key: { pk: { 'S.$': '$.wait.key' } },
      UpdateExpression:
        'SET open_status = :open_status, #run = :run, #task_id = :task_id, #submit_time = :submit_time, #token = :token, #open_order = :open_order, #wake_after = :wake_after, #ttl = :ttl',
      ConditionExpression: 'attribute_not_exists(#run) OR #run <= :run',
      ExpressionAttributeNames: {
        '#run': 'run',
        '#task_id': 'task_id',
        '#submit_time': 'submit_time',
        '#token': 'token',
        '#open_order': 'open_order',
        '#wake_after': 'wake_after',
        '#ttl': 'ttl',
      },
      ExpressionAttributeValues: {
        ':open_status': { S: 'waiting' },
        ':run': { 'N.$': '$.wait.run' },
        ':task_id': { 'S.$': '$.wait.task_id' },
        ':submit_time': { 'S.$': '$.wait.submit_time' },
        ':token': { 'S.$': '$$.Task.Token' },
        ':open_order': { 'S.$': '$.wait.order' },
        ':wake_after': { 'N.$': '$.wait.wake_after' },
        ':ttl': { 'N.$': '$.wait.ttl' },
      },
    });
  });

  test('does not retry RecordFailure after Unhandled, which leaves the video to the sweep', () => {
    expect(definition.States.RecordFailure!.Retry).toContainEqual({ ErrorEquals: ['Unhandled'], MaxAttempts: 0 });
  });

  const retriedNames = Object.values(errorNames).filter((name) => name !== errorNames.unhandled);
  test.each(retriedNames)('retries after %s', (name) => {
    const retried = tasks.filter((state) => retrierOf(state, name));
    expect(retried).not.toEqual([]);
    expect(retried).not.toContain('RecordFailure');
  });

  test.each(tasks)('retries %s when Lambda itself fails, and when the function was interrupted', (state) => {
    for (const name of documentedNames) expect(retrierOf(state, name)).toBeDefined();
  });

  test('matches each error name once in a state, States.ALL last', () => {
    for (const state of tasks) {
      const names = definition.States[state]!.Retry!.flatMap(({ ErrorEquals }) => ErrorEquals);
      expect(new Set(names).size).toBe(names.length);
      expect(definition.States[state]!.Retry!.at(-1)!.ErrorEquals).toEqual(['States.ALL']);
    }
  });

  test('records the reason of every failed run', () => {
    for (const state of tasks.filter((name) => name !== 'RecordFailure')) {
      expect(definition.States[state]!.Catch).toEqual([
        { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'RecordFailure' },
      ]);
    }
    expect(definition.States.RecordFailure!.Catch).toBeUndefined();
  });

  test.each<[string, string, number, number]>([
    ['CreateTask', errorNames.wanThrottled, 24 * hour, 24.1 * hour],
    ['CheckTask', errorNames.wanUnavailable, 24 * hour, 24.1 * hour],
    ['ArchiveVideo', errorNames.wanUnavailable, 24 * hour, 24.1 * hour],
    ['CreateTask', errorNames.submissionUncertain, hour, hour],
    ['CreateTask', errorNames.promptLocked, 3 * hour, 3.1 * hour],
    ['ArchiveVideo', errorNames.archiveInterrupted, 24 * hour, 24.1 * hour],
    ['ArchiveVideo', errorNames.untrustedVideoHost, 24 * hour, 24 * hour],
    ['CreateTask', 'Lambda.TooManyRequestsException', hour, 1.1 * hour],
    ['CreateTask', 'Sandbox.Timedout', 360, 480],
    ['CreateTask', 'States.ALL', 75, 75],
  ])('retries in %s after %s for as long as documented', (state, name, atLeast, atMost) => {
    const delay = totalDelayOf(retrierOf(state, name));
    expect(delay).toBeGreaterThanOrEqual(atLeast);
    expect(delay).toBeLessThanOrEqual(atMost);
  });

  test('has room in its history for all retries and sleeps', () => {
    const eventsOfFailedAttempt = 3;
    const eventsOfSleep = 13;
    const attempts = tasks.flatMap((state) => definition.States[state]!.Retry!.map(({ MaxAttempts }) => MaxAttempts));
    const retryEvents = attempts.reduce((sum, count) => sum + count, 0) * eventsOfFailedAttempt;
    expect(retryEvents + 110 * eventsOfSleep).toBeLessThan(25_000);
  });

  test('ends a run after 30 hours, longer than Wan keeps a task', () => {
    expect(definition.TimeoutSeconds).toBe(30 * hour);
  });
});

test('logs to a group below /aws/vendedlogs/ whose name has the id of the stack, since the policy of other groups has a limit', () => {
  const [{ properties }] = resourcesOf(template, 'AWS::StepFunctions::StateMachine') as [Found];
  const groups = properties.LoggingConfiguration.Destinations.map(
    ({ CloudWatchLogsLogGroup: { LogGroupArn } }: Found['properties']) =>
      template.Resources[LogGroupArn['Fn::GetAtt'][0]]!.Properties!.LogGroupName,
  );
  const stackId = { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] };
  expect(groups).toEqual([{ 'Fn::Join': ['', ['/aws/vendedlogs/states/firstframe-videos-', stackId]] }]);
});

test('is traced, and logs without the data of executions', () => {
  const [{ properties }, ...others] = resourcesOf(template, 'AWS::StepFunctions::StateMachine') as [Found, ...Found[]];
  expect(others).toEqual([]);
  expect(properties).toMatchObject({
    StateMachineName: 'firstframe-videos',
    TracingConfiguration: { Enabled: true },
    LoggingConfiguration: { IncludeExecutionData: false },
  });
  expect(properties.StateMachineType ?? 'STANDARD').toBe('STANDARD');
});
