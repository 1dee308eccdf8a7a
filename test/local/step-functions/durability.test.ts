import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openExecutions } from '../../../local/aws/step-functions/execution/executions.ts';
import {
  day,
  describeOf,
  executionArn,
  FunctionError,
  functionArn,
  jumpingClock,
  newDirectory,
  only,
  open,
  start,
  startOfTime,
  until,
} from './support.ts';

const task = (name: string) => ({ Type: 'Task', Resource: functionArn(name), ResultPath: `$.${name}` });
const definition = {
  StartAt: 'Create',
  States: {
    Create: { ...task('create'), Next: 'Wait' },
    Wait: { Type: 'Wait', Seconds: 10, Next: 'Check' },
    Check: {
      ...task('check'),
      Retry: [{ ErrorEquals: ['Away'], IntervalSeconds: 100, MaxAttempts: 2 }],
      Next: 'Choose',
    },
    Choose: {
      Type: 'Choice',
      Choices: [{ Variable: '$.check', BooleanEquals: true, Next: 'Archive' }],
      Default: 'Wait',
    },
    Archive: { ...task('archive'), End: true },
  },
};
/** The second check fails once, the third finds it done. */
const worker = () => {
  let checks = 0;
  return async (arn: string) => {
    if (!arn.includes('check')) return arn;
    checks += 1;
    if (checks === 2) throw new FunctionError('Away', '');
    return checks > 2;
  };
};

const linesOf = (directory: string, file: string) =>
  readFileSync(path.join(directory, file), 'utf8').split('\n').slice(0, -1);

/** All lines of a run in the order of their writing, as [file, line]. */
async function journalOfARun(): Promise<['running.jsonl' | 'closed.jsonl', string][]> {
  const { stepFunctions, directory } = open(definition, { invoke: worker() });
  await start(stepFunctions, 'one', { id: 7 });
  await stepFunctions.idle();
  const running = linesOf(directory, 'running.jsonl').map((line) => ['running.jsonl', line] as const);
  const closed = linesOf(directory, 'closed.jsonl').map((line) => ['closed.jsonl', line] as const);
  await stepFunctions.close();
  return [...running.slice(0, -1), ...closed, ...running.slice(-1)].map(([file, line]) => [file, line]);
}

describe('wherever the process is killed', async () => {
  const journal = await journalOfARun();
  const prefixes = journal.map((_, index) => index + 1);

  function directoryOf(lines: typeof journal, torn: string): string {
    const directory = newDirectory();
    for (const file of ['running.jsonl', 'closed.jsonl']) writeFileSync(path.join(directory, file), '');
    for (const [file, line] of lines) appendFileSync(path.join(directory, file), `${line}\n`);
    const next = journal[lines.length];
    if (next)
      appendFileSync(
        path.join(directory, next[0]),
        next[1].slice(0, torn === 'whole' ? undefined : next[1].length / 2),
      );
    return directory;
  }

  test.each(prefixes.flatMap((count) => [[count, 'half'] as const, [count, 'whole'] as const]))(
    'after line %i and %s of the next, the execution ends as if nothing had been',
    async (count, torn) => {
      const directory = directoryOf(journal.slice(0, count), torn);
      const second = open(definition, { directory, invoke: async (arn) => (arn.includes('check') ? true : arn) });
      await second.stepFunctions.resume();
      await second.stepFunctions.idle();
      const started = count >= 2;
      if (!started) return expect(second.invocations).toEqual([]);
      const execution = await describeOf(second.stepFunctions, 'one');
      expect(execution).toMatchObject({ status: 'SUCCEEDED', input: '{"id":7}' });
      expect(JSON.parse(execution.output)).toEqual({
        id: 7,
        create: functionArn('create'),
        check: true,
        archive: functionArn('archive'),
      });
      const order = second.invocations.map(({ function: arn }) =>
        ['create', 'check', 'archive'].findIndex((name) => arn.includes(name)),
      );
      expect(order).toEqual([...new Set(order)].sort());
      const told = second.changes.map(({ status }) => status);
      expect(told).toEqual([...new Set(told)]);
      if (count < journal.length) expect(told).toContain('SUCCEEDED');
      await expect(start(second.stepFunctions, 'one', { id: 7 })).rejects.toThrow('Already Exists');
      await second.stepFunctions.close();

      const third = open(definition, { directory });
      await third.stepFunctions.resume();
      await third.stepFunctions.idle();
      expect(third.changes).toEqual([]);
      expect(await describeOf(third.stepFunctions, 'one')).toEqual(execution);
      await third.stepFunctions.close();
    },
  );
});

test('a task in flight is invoked again with the same input, and its late answer to the old process changes nothing', async () => {
  let answer = (_: unknown) => {};
  const first = open(definition, {
    invoke: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  });
  await start(first.stepFunctions, 'one', { id: 7 });
  await until(() => first.invocations.length === 1);
  await first.stepFunctions.close();
  answer('late');

  const second = open(definition, { directory: first.directory, invoke: worker() });
  await second.stepFunctions.resume();
  await second.stepFunctions.idle();
  expect(second.invocations[0]).toMatchObject({ function: functionArn('create'), payload: { id: 7 } });
  expect(second.changes.at(-1)?.status).toBe('SUCCEEDED');
});

test('retries and the delay before the next one go on where they were', async () => {
  const flaky = {
    ...only({ ...task('work'), Retry: [{ ErrorEquals: ['Away'], IntervalSeconds: 100, MaxAttempts: 2 }] }),
  };
  const away = async () => {
    throw new FunctionError('Away', '');
  };
  const first = open(flaky, { invoke: away });
  first.clock.stop();
  await start(first.stepFunctions, 'one');
  await until(() => first.clock.sleepers.size === 1);
  await first.stepFunctions.close();

  const second = open(flaky, { directory: first.directory, invoke: away });
  second.clock.advance(30_000);
  await second.stepFunctions.resume();
  await second.stepFunctions.idle();
  expect(second.invocations.map(({ at }) => at)).toEqual([100_000, 300_000]);
  expect(second.changes.at(-1)).toMatchObject({ status: 'FAILED', error: 'Away' });
});

test("the machine's TimeoutSeconds counts from the start, over a restart", async () => {
  const slow = { StartAt: 'W', TimeoutSeconds: 60, States: { W: { Type: 'Wait', Seconds: 600, End: true } } };
  const first = open(slow);
  first.clock.stop();
  await start(first.stepFunctions, 'one');
  await first.stepFunctions.close();
  const second = open(slow, { directory: first.directory });
  second.clock.advance(61_000);
  await second.stepFunctions.resume();
  await second.stepFunctions.idle();
  expect(second.changes.at(-1)?.status).toBe('TIMED_OUT');
});

test('an execution keeps the definition it started with', async () => {
  const first = open(definition);
  first.clock.stop();
  await start(first.stepFunctions, 'one', { id: 7 });
  await until(() => first.clock.sleepers.size === 1);
  await first.stepFunctions.close();

  const renamed = { StartAt: 'Other', States: { Other: { ...task('other'), End: true } } };
  const second = open(renamed, { directory: first.directory, invoke: worker() });
  await second.stepFunctions.resume();
  await start(second.stepFunctions, 'two');
  await second.stepFunctions.idle();
  const called = second.invocations.map(({ function: arn }) => arn.split(':')[6]);
  expect(called.filter((name) => name !== 'other')).toEqual(
    ['check', 'check', 'check', 'check', 'archive'].slice(-called.length + 1),
  );
  expect(called).toContain('other');
  expect(await describeOf(second.stepFunctions, 'one')).toMatchObject({ status: 'SUCCEEDED' });
});

test('a name stays taken after a restart, until 90 days are over', async () => {
  const first = open(only({ Type: 'Pass' }));
  await start(first.stepFunctions, 'one');
  await first.stepFunctions.idle();
  await first.stepFunctions.close();
  const clock = jumpingClock();
  for (const [days, free] of [
    [1, false],
    [88, false],
    [1, true],
  ] as const) {
    clock.advance(days * day);
    const again = open(only({ Type: 'Pass' }), { directory: first.directory, clock });
    await again.stepFunctions.resume();
    if (free) await start(again.stepFunctions, 'one');
    else await expect(start(again.stepFunctions, 'one')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    await again.stepFunctions.idle();
    await again.stepFunctions.close();
  }
  expect(linesOf(first.directory, 'closed.jsonl')).toHaveLength(1);
});

test('a name that is used again after 90 days survives a kill in its second run', async () => {
  const waiting = { StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 1, End: true } } };
  const first = open(waiting);
  await start(first.stepFunctions, 'one', 1);
  await first.stepFunctions.idle();
  first.clock.advance(91 * day);
  first.clock.stop();
  await start(first.stepFunctions, 'one', 2);
  await first.stepFunctions.close();
  const clock = jumpingClock();
  clock.advance(91 * day);
  const second = open(waiting, { directory: first.directory, clock });
  await second.stepFunctions.resume();
  await second.stepFunctions.idle();
  expect(await describeOf(second.stepFunctions, 'one')).toMatchObject({ status: 'SUCCEEDED', input: '2' });
});

test('a damaged line in the middle is named, not skipped', () => {
  const directory = newDirectory();
  writeFileSync(path.join(directory, 'closed.jsonl'), '{"arn":\n{}\n');
  expect(() => open(definition, { directory })).toThrow('closed.jsonl:1');
});

test('a long loop leaves a short journal behind, a closed execution one small line, and the others go on', async () => {
  const waiting = { StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 60, End: true } } };
  const opened = open(waiting);
  opened.clock.stop();
  await start(opened.stepFunctions, 'waiting');
  await start(opened.stepFunctions, 'looping');
  await until(() => opened.clock.sleepers.size === 2);
  await opened.stepFunctions.close();

  const executions = openExecutions(opened.directory, () => startOfTime);
  const looping = executions.find(executionArn('looping'));
  if (!looping?.current) throw new Error('It is not there.');
  for (let index = 0; index < 12_000; index += 1) {
    executions.enter(looping, { ...looping.current, input: index }, { state: 'Wait', type: 'Wait', entered_at: index });
  }
  expect(linesOf(opened.directory, 'running.jsonl').length).toBeLessThan(5000);
  executions.closeFiles();

  const again = openExecutions(opened.directory, () => startOfTime);
  expect(again.find(executionArn('looping'))?.current?.input).toBe(11_999);
  const reread = again.find(executionArn('looping'));
  if (!reread) throw new Error('It is not there.');
  again.close(reread, { status: 'FAILED', error: 'E', cause: null }, startOfTime);
  again.tell(reread, 'end_told');
  again.closeFiles();
  const [closed = '', ...more] = linesOf(opened.directory, 'closed.jsonl');
  expect(closed.length).toBeLessThan(2500);
  expect(more).toEqual([]);

  const last = open(waiting, { directory: opened.directory });
  expect(linesOf(opened.directory, 'running.jsonl')).toHaveLength(2);
  await last.stepFunctions.resume();
  await last.stepFunctions.idle();
  expect(last.changes).toMatchObject([{ name: 'waiting', status: 'SUCCEEDED', stopDate: startOfTime + 60_000 }]);
});

test('of 10,000 closed executions each name stays taken after a restart', async () => {
  const first = open(only({ Type: 'Pass' }));
  await start(first.stepFunctions, 'one', { id: 'x'.repeat(36), run: 1 });
  await first.stepFunctions.idle();
  await first.stepFunctions.close();
  const [line = ''] = linesOf(first.directory, 'closed.jsonl');
  const visit = { state: 'WaitBeforeCheck', type: 'Wait', entered_at: Date.now() };
  const closed = { ...JSON.parse(line), visits: Array.from({ length: 20 }, () => visit) };
  const lines = Array.from({ length: 10_000 }, (_, index) =>
    JSON.stringify({ ...closed, arn: `${closed.arn}${index}` }),
  );
  writeFileSync(path.join(first.directory, 'closed.jsonl'), `${lines.join('\n')}\n`);

  const second = open(only({ Type: 'Pass' }), { directory: first.directory });
  await second.stepFunctions.resume();
  await expect(start(second.stepFunctions, 'one9999')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
});

test('1,000 executions start at once, wait together and end', async () => {
  const waiting = {
    StartAt: 'T',
    States: { T: { ...task('work'), Next: 'W' }, W: { Type: 'Wait', Seconds: 3600, End: true } },
  };
  const { stepFunctions, clock, changes } = open(waiting);
  clock.stop();
  const names = Array.from({ length: 1000 }, (_, index) => `n${index}`);
  await Promise.all(names.map((name) => start(stepFunctions, name)));
  await until(() => clock.sleepers.size === 1000, 10_000);
  clock.advance(3_600_000);
  for (const sleeper of [...clock.sleepers]) sleeper.wake();
  await stepFunctions.idle();
  expect(changes.filter(({ status }) => status === 'SUCCEEDED')).toHaveLength(1000);
});
