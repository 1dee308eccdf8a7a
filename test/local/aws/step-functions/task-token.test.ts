import { beforeEach, describe, expect, test } from 'vitest';
import { createTableInProcess, inProcessDynamoDb } from '../../../../local/aws/dynamodb/in-process.ts';
import type { StepFunctionsOptions } from '../../../../local/aws/step-functions/step-functions.ts';
import { executionArn, failing, failure, functionArn, open, runToEnd, start } from './support.ts';

const updateItem = 'arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken';
const neverRetried = { ErrorEquals: ['DynamoDb.ConditionalCheckFailedException'], MaxAttempts: 0 };
const retried = {
  ErrorEquals: ['States.TaskFailed'],
  IntervalSeconds: 5,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  MaxAttempts: 10,
};
/** The WaitForEnd state of the deployed state machine. */
const waitForEnd = {
  Type: 'Task',
  Resource: updateItem,
  Parameters: {
    TableName: 'table',
    Key: { pk: { 'S.$': '$.wait.key' } },
    UpdateExpression: 'SET #run = :run, #token = :token, #execution = :execution',
    ConditionExpression: 'attribute_not_exists(#run) OR #run <= :run',
    ExpressionAttributeNames: { '#run': 'run', '#token': 'token', '#execution': 'execution' },
    ExpressionAttributeValues: {
      ':run': { 'N.$': '$.wait.run' },
      ':token': { 'S.$': '$$.Task.Token' },
      ':execution': { 'S.$': '$$.Execution.Name' },
    },
  },
  TimeoutSecondsPath: '$.wait.timeout_seconds',
  ResultPath: null,
};
const loop = (fields: object = { Retry: [neverRetried, retried] }) => ({
  StartAt: 'WaitForEnd',
  States: {
    WaitForEnd: {
      ...waitForEnd,
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'CheckTask' }],
      ...fields,
      Next: 'CheckTask',
    },
    CheckTask: { Type: 'Task', Resource: functionArn('check'), Next: 'TaskChecked' },
    TaskChecked: {
      Type: 'Choice',
      Choices: [
        { Variable: '$.outcome', StringEquals: 'running', Next: 'WaitForEnd' },
        { Variable: '$.outcome', StringEquals: 'settled', Next: 'Done' },
      ],
    },
    Done: { Type: 'Succeed' },
  },
});
const input = { wait: { key: 'wait#a', run: '2', timeout_seconds: 180 } };
const settled = async (_arn: string, payload: unknown) => ({ ...(payload as object), outcome: 'settled' });
const tokenOf = (parameters: unknown) =>
  (parameters as { ExpressionAttributeValues: { ':token': { S: string } } }).ExpressionAttributeValues[':token'].S;

describe('with a table', () => {
  let execute: ReturnType<typeof inProcessDynamoDb>;
  beforeEach(async () => {
    execute = inProcessDynamoDb();
    await createTableInProcess(execute, {
      TableName: 'table',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    });
  });
  const item = async () =>
    (
      (await execute('GetItem', { TableName: 'table', Key: { pk: { S: 'wait#a' } } })) as {
        Item: Record<string, unknown>;
      }
    ).Item;
  const onTable = (clock: () => ReturnType<typeof open>['clock']): Partial<StepFunctionsOptions> => ({
    invokeFunction: settled,
    callAws: (_action, parameters) =>
      clock().hold(() =>
        execute('UpdateItem', parameters).catch((error: { body: { __type: string } }) => {
          throw failure(error.body.__type.split('#')[1]!);
        }),
      ),
  });

  test('writes the token and waits for SendTaskSuccess, whose output is discarded by ResultPath null', async () => {
    const opened = open(
      loop(),
      onTable(() => opened.clock),
    );
    await opened.begin('one', input);
    let token = '';
    void opened.clock.sleep(42_000).then(async () => {
      const { token: written, ...rest } = await item();
      expect(rest).toEqual({ pk: { S: 'wait#a' }, run: { N: '2' }, execution: { S: 'one' } });
      token = (written as { S: string }).S;
      expect(await opened.handle('SendTaskSuccess', { taskToken: token, output: '{"ended":true}' })).toEqual({});
    });
    expect(await opened.ended()).toMatchObject({
      status: 'SUCCEEDED',
      output: { ...input, outcome: 'settled' },
      stopped_at: start + 42_000,
    });
    await expect(opened.handle('SendTaskSuccess', { taskToken: token, output: '{}' })).rejects.toMatchObject({
      name: 'TaskTimedOut',
    });
  });

  test('catches the failed condition after a later run has written, without a retry', async () => {
    await execute('PutItem', { TableName: 'table', Item: { pk: { S: 'wait#a' }, run: { N: '3' } } });
    const opened = open(
      loop(),
      onTable(() => opened.clock),
    );
    await opened.begin('one', input);
    expect(await opened.ended()).toMatchObject({
      status: 'SUCCEEDED',
      stopped_at: start,
      output: { error: { Error: 'DynamoDb.ConditionalCheckFailedException' } },
    });
    expect(opened.attempts).toHaveLength(1 + 1);
    expect(await item()).toEqual({ pk: { S: 'wait#a' }, run: { N: '3' } });
  });
});

test('catches the timeout without a retry and invalidates the token', async () => {
  const tokens: string[] = [];
  const opened = open(loop(), {
    async invokeFunction(arn, payload) {
      const late = opened.handle('SendTaskSuccess', { taskToken: tokens[0], output: '{}' });
      await expect(late).rejects.toMatchObject({ name: 'TaskTimedOut' });
      return settled(arn, payload);
    },
    callAws: async (_action, parameters) => tokens.push(tokenOf(parameters)),
  });
  await opened.begin('one', input);
  expect(await opened.ended()).toMatchObject({
    status: 'SUCCEEDED',
    stopped_at: start + 180_000,
    output: { error: { Error: 'States.Timeout', Cause: '' } },
  });
  expect(tokens).toHaveLength(1);
});

test('each attempt has its own token and timeout', async () => {
  const tokens: string[] = [];
  const fail = failing(['ProvisionedThroughputExceededException', 'InternalServerError']);
  const { attempts, execution, handle } = await runToEnd(loop(), input, {
    invokeFunction: settled,
    async callAws(action, parameters, arn) {
      expect([action, arn]).toEqual(['dynamodb:updateItem', executionArn('one')]);
      tokens.push(tokenOf(parameters));
      return fail();
    },
  });
  expect(attempts).toEqual([0, 5000, 15_000, 195_000]);
  expect(execution.output).toMatchObject({ error: { Error: 'States.Timeout' } });
  expect(new Set(tokens).size).toBe(3);
  for (const taskToken of tokens) {
    await expect(handle('SendTaskSuccess', { taskToken, output: '{}' })).rejects.toMatchObject({
      name: 'TaskTimedOut',
    });
  }
});

test.each([
  ['ConditionalCheckFailedException', 'DynamoDb.ConditionalCheckFailedException'],
  ['InternalServerError', 'DynamoDb.InternalServerErrorException'],
])('DynamoDB’s %s is %s', async (name, error) => {
  const { execution } = await runToEnd(loop({}), input, { invokeFunction: settled, callAws: failing([name]) });
  expect(execution.output.error).toEqual({ Error: error, Cause: `${name} happened.` });
});

test('the timeout includes the call', async () => {
  const { execution } = await runToEnd(loop(), input, {
    invokeFunction: settled,
    callAws: () => new Promise(() => undefined),
  });
  expect(execution).toMatchObject({ stopped_at: start + 180_000, output: { error: { Error: 'States.Timeout' } } });
});

test('a token that is sent back before the call returns is accepted', async () => {
  const opened = open(loop({ ResultPath: '$.result' }), {
    invokeFunction: settled,
    async callAws(_action, parameters) {
      await opened.handle('SendTaskSuccess', { taskToken: tokenOf(parameters), output: '"early"' });
      await opened.clock.sleep(1000);
    },
  });
  await opened.begin('one', input);
  expect(await opened.ended()).toMatchObject({ stopped_at: start + 1000, output: { result: 'early' } });
});

test('a call that fails after its token was sent back fails the attempt', async () => {
  const opened = open(loop({}), {
    invokeFunction: settled,
    async callAws(_action, parameters) {
      await opened.handle('SendTaskSuccess', { taskToken: tokenOf(parameters), output: '{}' });
      await opened.clock.sleep(1000);
      throw failure('InternalServerError');
    },
  });
  await opened.begin('one', input);
  expect((await opened.ended()).output).toMatchObject({ error: { Error: 'DynamoDb.InternalServerErrorException' } });
});

test('an N that is not a string fails before the call without Retry or Catch, as in Step Functions', async () => {
  const { execution, attempts } = await runToEnd(loop(), { wait: { ...input.wait, run: 2 } });
  expect(execution).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  expect(execution.cause).toContain(
    "could not be used to start the Task: [The value for the field 'N' must be a STRING]",
  );
  expect(attempts).toEqual([]);
});

describe('stale and invalid tokens', () => {
  async function waiting() {
    let token = '';
    const opened = open(loop(), {
      callAws: async (_action, parameters) => {
        token = tokenOf(parameters);
      },
    });
    await opened.begin('one', input);
    const send = (fields: object) => opened.handle('SendTaskSuccess', { taskToken: token, output: '{}', ...fields });
    return { ...opened, send, token };
  }

  test('a missing token, one of another process and a used one are rejected', async () => {
    const { send } = await waiting();
    await expect(send({ taskToken: 'no token' })).rejects.toMatchObject({ name: 'InvalidToken' });
    const former = Buffer.from(`00#${executionArn('former')}`).toString('base64url');
    await expect(send({ taskToken: former })).rejects.toMatchObject({ name: 'TaskDoesNotExist' });
    await send({});
    await expect(send({})).rejects.toMatchObject({ name: 'TaskTimedOut' });
  });

  test('the token of a stopped execution is rejected', async () => {
    const { send, handle } = await waiting();
    await handle('StopExecution', { executionArn: executionArn('one') });
    await expect(send({})).rejects.toMatchObject({ name: 'TaskTimedOut' });
  });

  test.each([
    ['not JSON', '{'],
    ['more than 256 KiB', JSON.stringify('x'.repeat(256 * 1024))],
  ])('an output that is %s is rejected, and the task keeps waiting', async (_, output) => {
    const { send } = await waiting();
    await expect(send({ output })).rejects.toMatchObject({ name: 'InvalidOutput' });
    expect(await send({})).toEqual({});
  });
});

describe('what AWS bills and limits', () => {
  test.each([
    // ExecutionStarted and -Succeeded; WaitForEnd: entered, scheduled, started, submitted, timed out, exited; CheckTask: five;
    // TaskChecked and Done: two each.
    ['a loop of a wait and a check', [], { transitions: 4, history_events: 2 + 6 + 5 + 2 + 2 }],
    // Scheduled, started, failed.
    ['a failed attempt', ['ThrottlingException'], { transitions: 5, history_events: 17 + 3 }],
  ])('%s', async (_, errors, counts) => {
    const { execution } = await runToEnd(loop(), input, { invokeFunction: settled, callAws: failing(errors) });
    expect(execution).toMatchObject(counts);
  });

  test('24 hours without a watcher stay far below the limit of history events', async () => {
    const opened = open(loop(), {
      invokeFunction: async (_arn, payload) => ({
        ...(payload as object),
        outcome: opened.clock.now() - start < 24 * 3600 * 1000 ? 'running' : 'settled',
      }),
    });
    await opened.begin('one', { wait: { ...input.wait, timeout_seconds: 900 } });
    expect(await opened.ended()).toMatchObject({ status: 'SUCCEEDED', transitions: 96 * 3 + 1 });
    expect(opened.executions()[0]!.history_events).toBe(96 * 13 + 4);
  });

  test('the 25,000th event ends an execution', async () => {
    const { execution } = await runToEnd(loop(), input, {
      invokeFunction: async (_arn, payload) => ({ ...(payload as object), outcome: 'running' }),
    });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(execution.cause).toContain('maximum number of history events (25000)');
  });
});
