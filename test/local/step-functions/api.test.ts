import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  paginateListExecutions,
  StartExecutionCommand,
  StopExecutionCommand,
  TagResourceCommand,
} from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, test } from 'vitest';
import { served } from './served.ts';
import {
  executionArn,
  FunctionError,
  functionArn,
  jumpingClock,
  machineArn,
  only,
  open,
  startOfTime,
} from './support.ts';

const task = { Type: 'Task', Resource: functionArn('work') };
const waiting = { StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 3600, End: true } } };
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const { close } of opened.splice(0)) await close();
});

/** A client of a machine; time stands still unless `clock` is given. */
async function client(definition: object, options: Parameters<typeof open>[1] = {}) {
  const clock = options.clock ?? jumpingClock();
  if (!options.clock) clock.stop();
  const subject = open(definition, { ...options, clock });
  const connection = await served(subject.stepFunctions);
  opened.push(connection);
  return { ...subject, sdk: connection.client };
}

const begin = (name?: string, input?: string) =>
  new StartExecutionCommand({ stateMachineArn: machineArn, name, input });

describe('StartExecution', () => {
  test('answers with ARN and date, and gives a name when there is none', async () => {
    const { sdk } = await client(waiting);
    expect(await sdk.send(begin('one'))).toMatchObject({
      executionArn: executionArn('one'),
      startDate: new Date(startOfTime),
    });
    expect((await sdk.send(begin())).executionArn).toMatch(/:workflow:[0-9a-f-]{36}$/);
  });

  test('the same name with the same input is the same execution while it runs', async () => {
    const { sdk, clock, invocations } = await client({
      StartAt: 'A',
      States: { A: { ...task, Next: 'W' }, W: waiting.States.Wait },
    });
    const first = await sdk.send(begin('one', '{"a":1}'));
    clock.advance(5000);
    const again = await Promise.all([1, 2, 3].map(() => sdk.send(begin('one', '{"a":1}'))));
    for (const { executionArn: arn, startDate } of again)
      expect([arn, startDate]).toEqual([first.executionArn, first.startDate]);
    expect(invocations).toHaveLength(1);
    expect((await sdk.send(new ListExecutionsCommand({ stateMachineArn: machineArn }))).executions).toHaveLength(1);
  });

  test('the same name with another input is refused', async () => {
    const { sdk } = await client(waiting);
    await sdk.send(begin('one', '{"a":1}'));
    await expect(sdk.send(begin('one', '{"a":2}'))).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });

  test('the name of a closed execution stays taken for 90 days', async () => {
    const { sdk, stepFunctions, clock } = await client(only({ Type: 'Pass' }));
    await sdk.send(begin('one', '{}'));
    await stepFunctions.idle();
    clock.advance(90 * 24 * 60 * 60 * 1000 - 1);
    await expect(sdk.send(begin('one', '{}'))).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    clock.advance(1);
    await sdk.send(begin('one', '{}'));
  });

  const names: [string, string, string][] = [
    ['white space', 'a b', 'InvalidName'],
    ['a bracket', 'a[0]', 'InvalidName'],
    ['a wildcard', 'a*', 'InvalidName'],
    ['a colon', 'a:b', 'InvalidName'],
    ['a slash', 'a/b', 'InvalidName'],
    ['a control character', 'a\u0085b', 'InvalidName'],
    ['81 characters', 'a'.repeat(81), 'ValidationException'],
    ['no character', '', 'ValidationException'],
  ];
  test.each(names)('refuses a name with %s', async (_, name, error) => {
    const { sdk } = await client(waiting);
    await expect(sdk.send(begin(name))).rejects.toMatchObject({ name: error });
  });

  test('takes a name of 80 characters and of letters of all scripts', async () => {
    const { sdk } = await client(waiting);
    await sdk.send(begin('ä-_.+@!'.padEnd(80, '猫')));
  });

  test.each([
    ['no JSON', '{"a":'],
    ['more than 256 KiB', JSON.stringify('ä'.repeat(131_072))],
  ])('refuses an input that is %s', async (_, input) => {
    const { sdk } = await client(waiting);
    await expect(sdk.send(begin('one', input))).rejects.toMatchObject({ name: 'InvalidExecutionInput' });
  });

  test('refuses an unknown state machine', async () => {
    const { sdk } = await client(waiting);
    const start = (stateMachineArn: string) => sdk.send(new StartExecutionCommand({ stateMachineArn }));
    await expect(start(`${machineArn}2`)).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
    await expect(start('workflow')).rejects.toMatchObject({ name: 'InvalidArn' });
  });
});

describe('DescribeExecution', () => {
  test('tells of a running execution', async () => {
    const { sdk } = await client(waiting);
    await sdk.send(begin('one', '{"a": 1}'));
    const answer = await sdk.send(new DescribeExecutionCommand({ executionArn: executionArn('one') }));
    expect(answer).toMatchObject({
      name: 'one',
      stateMachineArn: machineArn,
      status: 'RUNNING',
      startDate: new Date(startOfTime),
      input: '{"a": 1}',
    });
    expect(answer.stopDate).toBeUndefined();
    expect(answer.output).toBeUndefined();
  });

  test('tells of a success and of a failure', async () => {
    const { sdk, stepFunctions } = await client(only(task), {
      invoke: async (_, payload) => {
        if (payload === 'fail') throw new FunctionError('Broken', 'It broke.');
        return payload;
      },
    });
    await sdk.send(begin('good', '"fine"'));
    await sdk.send(begin('bad', '"fail"'));
    await stepFunctions.idle();
    const describeOf = (name: string) => sdk.send(new DescribeExecutionCommand({ executionArn: executionArn(name) }));
    expect(await describeOf('good')).toMatchObject({
      status: 'SUCCEEDED',
      output: '"fine"',
      stopDate: new Date(startOfTime),
    });
    expect(await describeOf('bad')).toMatchObject({
      status: 'FAILED',
      error: 'Broken',
      cause: '{"errorType":"Broken","errorMessage":"It broke.","trace":[]}',
    });
  });

  test('refuses an unknown execution', async () => {
    const { sdk } = await client(waiting);
    const describeOf = sdk.send(new DescribeExecutionCommand({ executionArn: executionArn('none') }));
    await expect(describeOf).rejects.toMatchObject({ name: 'ExecutionDoesNotExist' });
  });
});

test('StopExecution ends as ABORTED with error and cause, once', async () => {
  const { sdk, clock, changes, stepFunctions } = await client(waiting);
  await sdk.send(begin('one'));
  clock.advance(2000);
  const stop = (cause: string) =>
    sdk.send(new StopExecutionCommand({ executionArn: executionArn('one'), error: 'Stopped', cause }));
  const stopDate = new Date(startOfTime + 2000);
  expect((await stop('first')).stopDate).toEqual(stopDate);
  clock.advance(2000);
  expect((await stop('second')).stopDate).toEqual(stopDate);
  const answer = await sdk.send(new DescribeExecutionCommand({ executionArn: executionArn('one') }));
  expect(answer).toMatchObject({ status: 'ABORTED', error: 'Stopped', cause: 'first', stopDate });
  await stepFunctions.idle();
  expect(changes.map(({ status }) => status)).toEqual(['RUNNING', 'ABORTED']);
});

describe('ListExecutions', () => {
  test('gives the latest first, by pages, without repeating or hiding one that is started in between', async () => {
    const { sdk, clock } = await client(waiting);
    for (let index = 0; index < 5; index += 1) {
      await sdk.send(begin(`n${index}`));
      clock.advance(1000);
    }
    const seen: (string | undefined)[] = [];
    for await (const page of paginateListExecutions({ client: sdk, pageSize: 2 }, { stateMachineArn: machineArn })) {
      expect(page.executions?.length).toBeLessThanOrEqual(2);
      seen.push(...(page.executions ?? []).map(({ name }) => name));
      await sdk.send(begin(`late${seen.length}`));
      clock.advance(1000);
    }
    expect(seen).toEqual(['n4', 'n3', 'n2', 'n1', 'n0']);
  });

  test('filters by status, and goes on when the last one changed its status', async () => {
    const { sdk, clock } = await client(waiting);
    for (const name of ['a', 'b', 'c']) {
      await sdk.send(begin(name));
      clock.advance(1000);
    }
    const running = (nextToken?: string) =>
      sdk.send(
        new ListExecutionsCommand({ stateMachineArn: machineArn, statusFilter: 'RUNNING', maxResults: 1, nextToken }),
      );
    const first = await running();
    expect(first.executions?.map(({ name }) => name)).toEqual(['c']);
    await sdk.send(new StopExecutionCommand({ executionArn: executionArn('c') }));
    await sdk.send(new StopExecutionCommand({ executionArn: executionArn('b') }));
    const second = await running(first.nextToken);
    expect(second.executions?.map(({ name }) => name)).toEqual(['a']);
    expect(second.nextToken).toBeUndefined();
    const aborted = await sdk.send(new ListExecutionsCommand({ stateMachineArn: machineArn, statusFilter: 'ABORTED' }));
    expect(aborted.executions?.map(({ name, status }) => [name, status])).toEqual([
      ['c', 'ABORTED'],
      ['b', 'ABORTED'],
    ]);
  });

  test('refuses a token that is none', async () => {
    const { sdk } = await client(waiting);
    const list = sdk.send(new ListExecutionsCommand({ stateMachineArn: machineArn, nextToken: 'x' }));
    await expect(list).rejects.toMatchObject({ name: 'InvalidToken' });
  });
});

test('GetExecutionHistory tells which states were entered and left, and when', async () => {
  const definition = {
    StartAt: 'Work',
    States: {
      Work: { ...task, Next: 'Wait' },
      Wait: { Type: 'Wait', Seconds: 5, Next: 'Fail' },
      Fail: { Type: 'Fail', Error: 'E' },
    },
  };
  const { sdk, stepFunctions } = await client(definition, { clock: jumpingClock() });
  await sdk.send(begin('one', '{"a":1}'));
  await stepFunctions.idle();
  const history = (fields: object) =>
    sdk.send(new GetExecutionHistoryCommand({ executionArn: executionArn('one'), ...fields }));
  const { events = [] } = await history({});
  const rows = events.map((event) => [
    event.type,
    event.stateEnteredEventDetails?.name ?? event.stateExitedEventDetails?.name,
    (event.timestamp?.getTime() ?? 0) - startOfTime,
  ]);
  expect(rows).toEqual([
    ['ExecutionStarted', undefined, 0],
    ['TaskStateEntered', 'Work', 0],
    ['TaskStateExited', 'Work', 0],
    ['WaitStateEntered', 'Wait', 0],
    ['WaitStateExited', 'Wait', 5000],
    ['FailStateEntered', 'Fail', 5000],
    ['ExecutionFailed', undefined, 5000],
  ]);
  expect(events.at(-1)?.executionFailedEventDetails).toEqual({ error: 'E' });
  const latest = await history({ reverseOrder: true, maxResults: 1 });
  expect(latest.events?.map(({ type }) => type)).toEqual(['ExecutionFailed']);
  expect((await history({ reverseOrder: true, nextToken: latest.nextToken })).events).toHaveLength(6);
});

test('DescribeStateMachine and ListStateMachines tell what is deployed', async () => {
  const { sdk } = await client(waiting);
  const machine = {
    stateMachineArn: machineArn,
    name: 'workflow',
    type: 'STANDARD',
    creationDate: new Date(startOfTime),
  };
  const described = await sdk.send(new DescribeStateMachineCommand({ stateMachineArn: machineArn }));
  expect(described).toMatchObject({ ...machine, status: 'ACTIVE' });
  expect(JSON.parse(described.definition ?? '')).toEqual(waiting);
  expect((await sdk.send(new ListStateMachinesCommand({}))).stateMachines).toEqual([machine]);
});

test('any other operation is refused by name', async () => {
  const { sdk } = await client(waiting);
  const tag = sdk.send(new TagResourceCommand({ resourceArn: machineArn, tags: [] }));
  await expect(tag).rejects.toMatchObject({
    name: 'UnknownOperationException',
    message: expect.stringContaining('TagResource'),
  });
});
