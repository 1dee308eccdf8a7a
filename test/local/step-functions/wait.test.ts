import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { sleepWithTimers } from '../../../local/aws/step-functions/clock.ts';
import { open, runToEnd, start, startOfTime, until } from './support.ts';

const waiting = (fields: object) => ({
  StartAt: 'Wait',
  States: { Wait: { Type: 'Wait', ...fields, Next: 'After' }, After: { Type: 'Succeed' } },
});
const iso = (milliseconds: number) => new Date(startOfTime + milliseconds).toISOString();

describe('a Wait', () => {
  // The clock starts at …:00.250.
  const cases: [string, object, unknown, number][] = [
    ['of Seconds', { Seconds: 5 }, {}, 5000],
    ['of Seconds: 0', { Seconds: 0 }, {}, 0],
    ['of SecondsPath', { SecondsPath: '$.s' }, { s: 7 }, 7000],
    ['of SecondsPath behind an InputPath', { InputPath: '$.in', SecondsPath: '$.s' }, { in: { s: 7 } }, 7000],
    ['of SecondsPath into the context', { SecondsPath: '$$.Execution.Input.s' }, { s: 7 }, 7000],
    ['of 60 days, more than a timer of Node can', { Seconds: 5_184_000 }, {}, 5_184_000_000],
    ['until a Timestamp loses its milliseconds', { Timestamp: iso(5650) }, {}, 4750],
    ['until a TimestampPath loses its milliseconds', { TimestampPath: '$.t' }, { t: '2026-01-01T00:00:05.900Z' }, 4750],
    ['until a TimestampPath with an offset', { TimestampPath: '$.t' }, { t: '2026-01-01T01:00:05+01:00' }, 4750],
    ['until a time that is past goes on at once', { Timestamp: '2020-01-01T00:00:00Z' }, {}, 0],
    ['until this very second goes on at once', { TimestampPath: '$.t' }, { t: iso(600) }, 0],
  ];
  test.each(cases)('%s', async (_, fields, input, expected) => {
    const { execution, clock } = await runToEnd(waiting(fields), input);
    expect(execution.status).toBe('SUCCEEDED');
    expect(clock.elapsed()).toBe(expected);
  });

  test.each([
    ['a fraction of a second', { SecondsPath: '$.v' }, 1.5],
    ['a negative number', { SecondsPath: '$.v' }, -1],
    ['a text as seconds', { SecondsPath: '$.v' }, '5'],
    ['a text that is no time', { TimestampPath: '$.v' }, 'tomorrow'],
    ['a time without a zone', { TimestampPath: '$.v' }, '2026-01-01T00:00:05'],
  ])('refuses %s', async (_, fields, v) => {
    const { execution } = await runToEnd(waiting(fields), { v });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });

  test('cuts its input and output', async () => {
    const { output } = await runToEnd(waiting({ Seconds: 1, InputPath: '$.a', OutputPath: '$.b' }), { a: { b: 1 } });
    expect(output).toBe(1);
  });

  test.each([
    ['Seconds', { Seconds: 100 }, 100_000],
    ['TimestampPath', { TimestampPath: '$.t' }, 99_750],
  ])('of %s keeps its end over a restart', async (_, fields, expected) => {
    const first = open(waiting(fields));
    first.clock.stop();
    await start(first.stepFunctions, 'one', { t: iso(100_100) });
    await until(() => first.clock.sleepers.size === 1);
    await first.stepFunctions.close();

    const second = open(waiting(fields), { directory: first.directory });
    second.clock.advance(40_000);
    await second.stepFunctions.resume();
    await second.stepFunctions.idle();
    expect(second.changes.at(-1)).toMatchObject({ status: 'SUCCEEDED', stopDate: startOfTime + expected });
  });
});

test('real timers do it as well', async () => {
  const { stepFunctions } = open(waiting({ Seconds: 1 }), { now: Date.now, sleep: undefined });
  const started = Date.now();
  await start(stepFunctions, 'one');
  await stepFunctions.idle();
  expect(Date.now() - started).toBeGreaterThanOrEqual(1000);
});

test('a real timer longer than Node can set does not end at once', async () => {
  const called = new AbortController();
  let ended = false;
  const sleeping = sleepWithTimers(2 ** 31, called.signal).then(() => {
    ended = true;
  });
  await setTimeout(20);
  expect(ended).toBe(false);
  called.abort();
  await sleeping;
});
