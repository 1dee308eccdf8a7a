import { expect, test } from 'vitest';
import { executionArn, machineArn, only, open, start, startOfTime, until } from './support.ts';

test("the start and the end of an execution are told, in EventBridge's form", async () => {
  const { stepFunctions, changes } = open({ StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 3, End: true } } });
  await start(stepFunctions, 'one', { a: 1 });
  await stepFunctions.idle();
  const common = {
    executionArn: executionArn('one'),
    stateMachineArn: machineArn,
    name: 'one',
    input: '{"a":1}',
    startDate: startOfTime,
    error: null,
    cause: null,
  };
  expect(changes).toMatchObject([
    { ...common, status: 'RUNNING', stopDate: null, output: null },
    { ...common, status: 'SUCCEEDED', stopDate: startOfTime + 3000, output: '{"a":1}' },
  ]);
  await stepFunctions.close();
});

test('a refused change is told again until it is taken, and never after the next one', async () => {
  const taken: string[] = [];
  let refusals = 2;
  const { stepFunctions, clock } = open(only({ Type: 'Pass' }), {
    onStatusChange: async ({ status }) => {
      if (refusals > 0) {
        refusals -= 1;
        throw new Error('The bus is away.');
      }
      taken.push(status);
    },
  });
  await start(stepFunctions, 'one');
  await stepFunctions.idle();
  expect(taken).toEqual(['RUNNING', 'SUCCEEDED']);
  expect(clock.elapsed()).toBe(2000);
});

test('a change that nobody took before the end of the process is told by the next one, a taken one is not', async () => {
  const told: string[] = [];
  const first = open(only({ Type: 'Pass' }), {
    onStatusChange: async ({ status }) => {
      told.push(status);
      if (status !== 'RUNNING') await new Promise(() => {});
    },
  });
  await start(first.stepFunctions, 'one');
  await until(() => told.length === 2);
  await first.stepFunctions.close();

  const second = open(only({ Type: 'Pass' }), { directory: first.directory });
  await second.stepFunctions.resume();
  await second.stepFunctions.idle();
  expect(second.changes.map(({ status }) => status)).toEqual(['SUCCEEDED']);
  await second.stepFunctions.close();

  const third = open(only({ Type: 'Pass' }), { directory: first.directory });
  await third.stepFunctions.resume();
  await third.stepFunctions.idle();
  expect(third.changes).toEqual([]);
});
