import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
  TagResourceCommand,
} from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, test } from 'vitest';
import { executionArn, failure, only, open, start, stateMachineArn, task } from './support.ts';

const never = { invokeFunction: () => new Promise(() => undefined) };
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** The SDK's client of a state machine over HTTP. */
async function served(...[definition, options]: Parameters<typeof open>) {
  const opened = open(definition, options);
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).replace('AWSStepFunctions.', '');
    const result = await opened
      .handle(operation, JSON.parse(await text(request)))
      .catch(({ name, message, status }) => ({ __type: name, message, status }));
    response.writeHead('__type' in result ? result.status : 200, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(result));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sdk = new SFNClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  closing.push(() => {
    sdk.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { ...opened, sdk };
}

const begin = (name?: string, input?: string) => new StartExecutionCommand({ stateMachineArn, name, input });
const describeOne = (name = 'one') => new DescribeExecutionCommand({ executionArn: executionArn(name) });

describe('StartExecution', () => {
  test('returns the ARN and date, and generates a missing name', async () => {
    const { sdk } = await served(only(task), never);
    expect(await sdk.send(begin('one'))).toMatchObject({
      executionArn: executionArn('one'),
      startDate: new Date(start),
    });
    expect((await sdk.send(begin())).executionArn).toMatch(/:videos:[0-9a-f-]{36}$/);
  });

  test('returns the running execution for the same name and input, and rejects another input', async () => {
    const { sdk, attempts } = await served(only(task), never);
    const [first, second] = [await sdk.send(begin('one', '{"id":1}')), await sdk.send(begin('one', '{"id":1}'))];
    expect([second.executionArn, second.startDate]).toEqual([first.executionArn, first.startDate]);
    await expect(sdk.send(begin('one', '{"id":2}'))).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    expect(attempts).toHaveLength(1);
  });

  test('rejects the name of an ended execution', async () => {
    const { sdk, ended } = await served(only(task));
    await sdk.send(begin('one', '{}'));
    await ended();
    await expect(sdk.send(begin('one', '{}'))).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });

  test.each([
    ['a colon', 'a:b'],
    ['white space', 'a b'],
    ['81 characters', 'a'.repeat(81)],
  ])('rejects a name with %s', async (_, name) => {
    const { sdk } = await served(only(task), never);
    await expect(sdk.send(begin(name))).rejects.toMatchObject({ name: 'InvalidName' });
  });

  test.each([
    ['not JSON', '{"a":'],
    ['more than 256 KiB', JSON.stringify('ä'.repeat(131_072))],
  ])('rejects an input that is %s', async (_, input) => {
    const { sdk } = await served(only(task), never);
    await expect(sdk.send(begin('one', input))).rejects.toMatchObject({ name: 'InvalidExecutionInput' });
  });

  test('rejects an unknown state machine', async () => {
    const { sdk } = await served(only(task), never);
    const other = sdk.send(new StartExecutionCommand({ stateMachineArn: `${stateMachineArn}2` }));
    await expect(other).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
  });
});

test('DescribeExecution describes running, succeeded and failed executions and rejects a missing one', async () => {
  const { sdk, ended, clock } = await served(only(task), {
    async invokeFunction(_arn, payload) {
      await clock.sleep(1000);
      if (payload === 'fail') throw failure('Lambda.Unknown', 'It broke.');
      return payload;
    },
  });
  await sdk.send(begin('one', '"fine"'));
  const running = await sdk.send(describeOne());
  expect(running).toMatchObject({ status: 'RUNNING', input: '"fine"' });
  expect(running).not.toHaveProperty('stopDate');
  await sdk.send(begin('two', '"fail"'));
  await ended();
  expect(await sdk.send(describeOne())).toMatchObject({
    stateMachineArn,
    name: 'one',
    status: 'SUCCEEDED',
    output: '"fine"',
    startDate: new Date(start),
    stopDate: new Date(start + 1000),
  });
  expect(await sdk.send(describeOne('two'))).toMatchObject({
    status: 'FAILED',
    error: 'Lambda.Unknown',
    cause: 'It broke.',
  });
  await expect(sdk.send(describeOne('three'))).rejects.toMatchObject({ name: 'ExecutionDoesNotExist' });
});

test('StopExecution ends an execution only once', async () => {
  const { sdk, changes } = await served(only(task), never);
  await sdk.send(begin('one'));
  const stop = (cause: string) =>
    sdk.send(new StopExecutionCommand({ executionArn: executionArn('one'), error: 'Stopped', cause }));
  expect((await stop('first')).stopDate).toEqual(new Date(start));
  await stop('second');
  expect(await sdk.send(describeOne())).toMatchObject({ status: 'ABORTED', error: 'Stopped', cause: 'first' });
  expect(changes.map(({ status }) => status)).toEqual(['RUNNING', 'ABORTED']);
});

describe('a stopped execution', () => {
  const two = { StartAt: 'A', States: { A: { ...task, TimeoutSeconds: 60, Next: 'B' }, B: { ...task, End: true } } };
  const stop = { executionArn: executionArn('one') };

  test.each(['before', 'as'])('does not continue when it is stopped %s its function returns', async (when) => {
    const opened = open(two, {
      async invokeFunction() {
        if (when === 'as') await opened.handle('StopExecution', stop);
        return when === 'as' ? {} : new Promise(() => undefined);
      },
    });
    await opened.begin();
    if (when === 'before') await opened.handle('StopExecution', stop);
    await expect(opened.clock.run(() => false, Number.POSITIVE_INFINITY)).rejects.toThrow('not done');
    expect(opened.clock.now()).toBe(start);
    expect(opened.attempts).toEqual([0]);
    expect(opened.executions()).toMatchObject([{ status: 'ABORTED' }]);
  });
});

test('ListExecutions returns the latest first and filters by status', async () => {
  const { sdk } = await served(only(task), never);
  for (const name of ['one', 'two', 'three']) await sdk.send(begin(name));
  await sdk.send(new StopExecutionCommand({ executionArn: executionArn('two') }));
  const names = async (statusFilter?: 'RUNNING' | 'ABORTED') =>
    (await sdk.send(new ListExecutionsCommand({ stateMachineArn, statusFilter }))).executions!.map(({ name }) => name);
  expect(await names()).toEqual(['three', 'two', 'one']);
  expect(await names('RUNNING')).toEqual(['three', 'one']);
  expect(await names('ABORTED')).toEqual(['two']);
});

test('ListStateMachines lists the deployed state machines', async () => {
  const { sdk } = await served(only(task));
  expect((await sdk.send(new ListStateMachinesCommand({}))).stateMachines).toEqual([
    { stateMachineArn, name: 'videos', type: 'STANDARD', creationDate: new Date(start) },
  ]);
});

test('the SDK receives its exceptions for stale tokens', async () => {
  const { sdk } = await served(only(task));
  const send = sdk.send(new SendTaskSuccessCommand({ taskToken: 'no token', output: '{}' }));
  await expect(send).rejects.toMatchObject({ name: 'InvalidToken' });
});

test.each(['TagResource', 'toString'])('%s has its own error name', async (operation) => {
  const { sdk, handle } = await served(only(task));
  const unsupported = { name: 'UnknownOperationException', message: expect.stringContaining(operation) };
  await expect(handle(operation, {})).rejects.toMatchObject(unsupported);
  if (operation === 'TagResource')
    await expect(sdk.send(new TagResourceCommand({ resourceArn: stateMachineArn, tags: [] }))).rejects.toMatchObject(
      unsupported,
    );
});

test("each start and end is published in EventBridge's format", async () => {
  const { begin: start1, ended, changes, clock } = open(only(task), { invokeFunction: () => clock.sleep(3000) });
  await start1('one', { id: 1 });
  await ended();
  const common = {
    executionArn: executionArn('one'),
    stateMachineArn,
    name: 'one',
    input: '{"id":1}',
    startDate: start,
  };
  expect(changes).toMatchObject([
    { ...common, status: 'RUNNING', stopDate: null, output: null, error: null },
    { ...common, status: 'SUCCEEDED', stopDate: start + 3000, output: 'null', error: null },
  ]);
});

test('close drops running executions without failing or retrying them', async () => {
  const {
    begin: start1,
    close,
    handle,
    attempts,
    changes,
    clock,
    executions,
  } = open(
    { ...only({ ...task, TimeoutSeconds: 5, Retry: [{ ErrorEquals: ['States.ALL'] }] }), TimeoutSeconds: 60 },
    {
      invokeFunction: async () => {
        await clock.sleep(1000);
        throw failure('Lambda.Unknown');
      },
    },
  );
  await start1();
  close();
  let over = false;
  void clock.sleep(100_000).then(() => {
    over = true;
  });
  await clock.run(() => over, Number.POSITIVE_INFINITY);
  expect(attempts).toEqual([0]);
  expect(executions()).toMatchObject([{ status: 'RUNNING' }]);
  expect(changes).toHaveLength(1);
  await expect(handle('StartExecution', { stateMachineArn })).rejects.toMatchObject({ name: 'ServiceUnavailable' });
});
