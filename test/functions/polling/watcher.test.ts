import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { closeWait, readWait, waitFor } from '../../../functions/polling/wait-item.ts';
import { type WatcherServices, watch } from '../../../functions/polling/watcher.ts';
import { acquireLease, keepWatcherAlive, unwatchedSeconds } from '../../../functions/polling/watcher-lease.ts';
import { reserveQueries } from '../../../functions/queue/rate-limiter.ts';
import { indexes } from '../../../functions/shared/table-schema.ts';
import { keys } from '../../../functions/video/keys.ts';
import type { Task, VideoRecord } from '../../../functions/video/record.ts';
import { getItem } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { aTask, aVideo } from '../../support/videos.ts';
import { Crash, crashAfter } from '../workflow/support.ts';
import { fakeWan, model } from './fake-wan.ts';
import { writeToken } from './write-token.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

let store: ReturnType<typeof startTable>;
let now: number;
let wan: ReturnType<typeof fakeWan>;
/** Sent tokens and their times. */
let woken: { token: string; at: number }[];
/** Runs between two ticks; receives the tick's number. */
let between: (tick: number) => Promise<void> | void;
let errors: unknown[];

beforeEach(() => {
  now = START;
  store = startTable(() => now);
  wan = fakeWan(() => now);
  woken = [];
  errors = [];
  between = () => undefined;
});

function services(given: Partial<WatcherServices> = {}): WatcherServices {
  let ticks = 0;
  return {
    table: store.table,
    wan: wan.client,
    reserveQueries: (count) => reserveQueries(store.table, count, { perSecond: 10, maxWait: 5000 }),
    wake: async (token) => void woken.push({ token, at: now }),
    async sleep(milliseconds) {
      const until = now + milliseconds;
      if (milliseconds > 0) await between(ticks++);
      now = Math.max(now, until);
    },
    onError: (error) => void errors.push(error),
    ...given,
  };
}

function running(number: number, submitted = now): VideoRecord & { task: Task } {
  const task = aTask({
    id: `task-${number}`,
    submit_time: new Date(submitted).toISOString(),
    expires_at: new Date(submitted + 24 * 3600_000).toISOString(),
  });
  const id = `00000000-0000-8000-8000-${String(number).padStart(12, '0')}`;
  return { ...aVideo({ id, model, status: 'running', run: 1, task }), task };
}

/** Creates executions that wait for running tasks. */
async function waiting(count: number, submittedOf = (_number: number) => now): Promise<void> {
  for (let number = 1; number <= count; number++) {
    const video = running(number, submittedOf(number));
    wan.add(video.task.id, 'RUNNING', submittedOf(number));
    await writeToken(store.table, `token-${number}`, waitFor(video, { now, typicalSeconds: 100 }));
  }
}

/** Runs a watcher until another one acquires its lease. */
async function watchFor(untilSeconds: number, given: Partial<WatcherServices> = {}): Promise<void> {
  const before = between;
  between = async (tick) => {
    if (seconds(now) >= untilSeconds) await acquireLease(store.table, 'successor', false);
    await before(tick);
  };
  expect(await watch(services(given), 'one', 'schedule')).toBe('superseded');
}

/** Queries of single tasks from the given second on. */
const singlesAfter = (from: number) =>
  wan.queries.filter(({ at, what }) => seconds(at) >= from && !what.startsWith('list'));

const seconds = (milliseconds: number) => (milliseconds - START) / 1000;

describe('a scheduled watcher', () => {
  test('ends immediately when nothing waits, without querying Wan or acquiring the lease', async () => {
    expect(await watch(services(), 'one', 'schedule')).toBe('nothing_waits');
    expect(now).toBe(START);
    expect(await keepWatcherAlive(store.table)).toBe(false);
  });

  test('ends after 4 minutes without a successor and releases its lease', async () => {
    await waiting(1);
    expect(await watch(services(), 'one', 'schedule')).toBe('timed_out');
    expect(seconds(now)).toBeGreaterThanOrEqual(240);
    expect(seconds(now)).toBeLessThan(245);
    expect(await keepWatcherAlive(store.table)).toBe(false);
  });

  test('takes over the lease; the previous watcher ends at its next renewal', async () => {
    await waiting(1);
    between = async (tick) => {
      if (tick === 10) expect(await acquireLease(store.table, 'two', false)).toBe(true);
    };
    expect(await watch(services(), 'one', 'schedule')).toBe('superseded');
    expect(seconds(now)).toBeLessThan(25);
  });

  test('is known to be alive at any time, although it renews its lease only every few seconds', async () => {
    await waiting(1);
    const held: boolean[] = [];
    const written = new Set<unknown>();
    between = async () => {
      held.push(!(await acquireLease(store.table, 'other', true)));
      written.add((await getItem<{ alive_until: number }>(store.table, keys.watcher))?.alive_until);
    };
    await watch(services(), 'one', 'schedule');
    expect(held.length).toBeGreaterThan(150);
    expect(held).not.toContain(false);
    expect(written.size).toBeLessThan(held.length / 2);
  });

  test('ends within 6 s after another one has acquired the lease', async () => {
    await waiting(1);
    let acquired = 0;
    between = async (tick) => {
      if (tick !== 20) return;
      acquired = now;
      await acquireLease(store.table, 'two', false);
    };
    expect(await watch(services(), 'one', 'schedule')).toBe('superseded');
    expect(now - acquired).toBeLessThan(6000);
  });
});

describe('a watcher started by CreateTask', () => {
  test('ends when another watcher is alive', async () => {
    await acquireLease(store.table, 'other', false);
    expect(await watch(services(), 'one', 'create-task')).toBe('already_running');
  });

  test('waits 10 s for the token that is written after CreateTask has returned', async () => {
    between = async () => {
      if (seconds(now) === 6) await waiting(1);
      if (seconds(now) >= 12) wan.set('task-1', 'SUCCEEDED');
    };
    const end = watch(services(), 'one', 'create-task');
    expect(await end).toBe('timed_out');
    expect(woken.map(({ token }) => token)).toEqual(['token-1']);
  });

  test('stays for a task created just before it would end, so that no task waits for the next schedule', async () => {
    between = async () => {
      if (seconds(now) === 9) expect(await keepWatcherAlive(store.table)).toBe(true);
    };
    expect(await watch(services(), 'one', 'create-task')).toBe('nothing_waits');
    expect(seconds(now)).toBeGreaterThan(19);
    expect(await keepWatcherAlive(store.table)).toBe(false);
  });
});

describe('an ended task', () => {
  test.each(['SUCCEEDED', 'FAILED', 'CANCELED', 'UNKNOWN'] as const)(
    'with status %s wakes its execution within a tick, once',
    async (status) => {
      await waiting(3);
      between = () => {
        if (seconds(now) >= 30) wan.set('task-2', status);
      };
      await watchFor(60);
      expect(woken.map(({ token }) => token)).toEqual(['token-2']);
      expect(seconds(woken[0]!.at)).toBeLessThanOrEqual(33);
      expect((await readWait(store.table, running(2).id))?.token).toBeUndefined();
      // CheckTask decides the outcome.
      expect(wan.queries.filter(({ at, what }) => what === 'task-2' && at > woken[0]!.at)).toEqual([]);
    },
  );

  test('with an undocumented status wakes its execution, so that CheckTask decides', async () => {
    await waiting(1);
    wan.answer = { outcome: 'unrecognised', status: 'QUEUED', task_id: 'task-1' };
    await watchFor(60);
    expect(woken.length).toBe(1);
  });

  test('whose execution waits again with a new token is woken by that token, after its pause', async () => {
    await waiting(1);
    wan.set('task-1', 'SUCCEEDED');
    between = async () => {
      if (woken.length === 1 && seconds(now) > 3 && (await readWait(store.table, running(1).id))?.token === undefined)
        await writeToken(store.table, 'second', waitFor(running(1), { now, typicalSeconds: 100, pauseSeconds: 60 }));
    };
    await watchFor(80);
    expect(woken.map(({ token }) => token).slice(0, 2)).toEqual(['token-1', 'second']);
    expect(woken[1]!.at - woken[0]!.at).toBeGreaterThanOrEqual(60_000);
  });

  test('is woken by the current token, not by one read before', async () => {
    await waiting(1);
    between = async () => {
      if (seconds(now) > 10) {
        await writeToken(store.table, 'newer', waitFor(running(1), { now, typicalSeconds: 100 }));
        wan.set('task-1', 'SUCCEEDED');
      }
    };
    await watchFor(60);
    expect(woken[0]?.token).toBe('newer');
  });

  test('whose execution started a pause during the query is not woken before the pause is over', async () => {
    await waiting(1);
    const { client } = wan;
    let written = false;
    const pausingWan: WatcherServices['wan'] = {
      ...client,
      async queryTask(task_id) {
        const wait = waitFor(running(1), { now, typicalSeconds: 100, pauseSeconds: 40 });
        if (!written) written = await writeToken(store.table, 'second', wait);
        wan.set(task_id, 'SUCCEEDED');
        return client.queryTask(task_id);
      },
    };
    await watchFor(60, { wan: pausingWan });
    expect(woken.map(({ token }) => token)).toEqual(['second']);
    expect(seconds(woken[0]!.at)).toBeGreaterThanOrEqual(40);
  });

  test('is woken again after sending the token failed', async () => {
    await waiting(1);
    wan.set('task-1', 'SUCCEEDED');
    let fails = 1;
    const wake = async (token: string) => {
      if (fails-- > 0) throw new Error('Step Functions is unavailable');
      woken.push({ token, at: now });
    };
    await watchFor(60, { wake });
    expect(errors.length).toBe(1);
    expect(woken.map(({ token }) => token)).toEqual(['token-1']);
    expect(seconds(woken[0]!.at)).toBeLessThan(10);
  });
});

describe('many tasks', () => {
  const spread = (number: number) => START - 600_000 + number * 2000;

  test('are queried through lists of at most a page, within the rate limit', async () => {
    await waiting(250, spread);
    between = () => {
      if (seconds(now) >= 20) wan.set('task-77', 'SUCCEEDED');
    };
    await watchFor(60);
    expect(woken.map(({ token }) => token)).toEqual(['token-77']);
    expect(wan.queries.every(({ what }) => what.startsWith('list'))).toBe(true);
    for (const { at } of wan.queries)
      expect(wan.queries.filter((other) => other.at >= at && other.at < at + 1000).length).toBeLessThanOrEqual(11);
  });

  test('are queried one by one when there are at most 8', async () => {
    await waiting(8, spread);
    await watchFor(60);
    expect(wan.queries.some(({ what }) => what.startsWith('list'))).toBe(false);
  });

  test("are detected in either time zone of Wan's lists", async () => {
    await waiting(30, spread);
    wan.listClock = 'utc';
    between = () => {
      if (seconds(now) >= 20) wan.set('task-7', 'FAILED');
    };
    await watchFor(60);
    expect(woken.map(({ token }) => token)).toEqual(['token-7']);
    expect(seconds(woken[0]!.at)).toBeLessThan(25);
    expect(singlesAfter(10)).toEqual([]);
  });

  test('that all end in one tick are detected, although the lists are empty then', async () => {
    await waiting(20, spread);
    between = () => {
      if (seconds(now) >= 20) for (const task_id of wan.tasks.keys()) wan.set(task_id, 'SUCCEEDED');
    };
    await watchFor(60);
    expect(woken.length).toBe(20);
    expect(seconds(woken.at(-1)!.at)).toBeLessThan(35);
  });

  test("are queried in rotation when another program's rows push them to a second page", async () => {
    await waiting(20, spread);
    for (let other = 0; other < 400; other++) wan.add(`foreign-${other}`, 'RUNNING', START - 600_000 + other * 110);
    between = () => {
      if (seconds(now) >= 20) for (const number of [1, 20, 9]) wan.set(`task-${number}`, 'SUCCEEDED');
    };
    await watchFor(60);
    expect(woken.map(({ token }) => token).sort()).toEqual(['token-1', 'token-20', 'token-9']);
    expect(seconds(woken.at(-1)!.at)).toBeLessThan(40);
  });

  test("do not count as ended when Wan's clock is off by 20 s", async () => {
    await waiting(20, spread);
    for (const each of wan.tasks.values()) each.submitted -= 20_000;
    await watchFor(30);
    expect(woken).toEqual([]);
  });

  test('are detected although one of them is older than a list can cover', async () => {
    await waiting(20, (number) => (number === 1 ? START - 20 * 3600_000 : spread(number)));
    between = () => {
      if (seconds(now) >= 20) for (const number of [1, 20]) wan.set(`task-${number}`, 'SUCCEEDED');
    };
    await watchFor(60);
    expect(new Set(singlesAfter(10).map(({ what }) => what))).toEqual(new Set(['task-1']));
    expect(woken.map(({ token }) => token).sort()).toEqual(['token-1', 'token-20']);
  });

  test("are soon queried through lists that have room for another program's tasks too", async () => {
    await waiting(100, spread);
    for (let other = 0; other < 60; other++) wan.add(`foreign-${other}`, 'RUNNING', spread(1 + (other * 5) / 3));
    await watchFor(60);
    expect(singlesAfter(0).length).toBeGreaterThan(0);
    expect(singlesAfter(30)).toEqual([]);
    expect(woken).toEqual([]);
  });

  test('are soon found through lists alone when more than a page is PENDING', async () => {
    await waiting(150, spread);
    for (const task_id of wan.tasks.keys()) wan.set(task_id, 'PENDING');
    await watchFor(60);
    expect(singlesAfter(30)).toEqual([]);
    expect(woken).toEqual([]);
  });

  test('are queried at the reserved slots', async () => {
    await waiting(6);
    const reserve: WatcherServices['reserveQueries'] = (count) =>
      reserveQueries(store.table, count, { perSecond: 2, maxWait: 5000 });
    const { sleep } = services();
    const written: number[] = [];
    const noted = (milliseconds: number) => {
      written.push(milliseconds);
      return sleep(milliseconds);
    };
    await watchFor(30, { reserveQueries: reserve, sleep: noted });
    expect(written.slice(0, 6)).toEqual([0, 500, 1000, 1500, 2000, 2500]);
  });

  test("that a list omits are woken, then left alone during CheckTask's pause", async () => {
    await waiting(20, spread);
    wan.hidden.add('task-5');
    let pause = 0;
    between = async () => {
      const item = await readWait(store.table, running(5).id);
      if (item?.token !== undefined) return;
      pause = Math.max(10, 2 * pause);
      await writeToken(
        store.table,
        `again-${pause}`,
        waitFor(running(5, spread(5)), { now, typicalSeconds: 100, pauseSeconds: pause }),
      );
    };
    await watchFor(160);
    expect(woken.length).toBeGreaterThan(1);
    // At 0, 10, 30, 70 and 150 s.
    expect(woken.length).toBeLessThanOrEqual(5);
  });
});

describe('while tasks end and start to run', () => {
  const spread = (number: number) => START - 600_000 + number * 2000;

  test('between the lists of one pass, detects every ended task and no running one', async () => {
    await waiting(250, spread);
    const ended = new Set<string>();
    let next = 1;
    const { client } = wan;
    const moving: WatcherServices['wan'] = {
      ...client,
      async listTasks(query) {
        const answer = await client.listTasks(query);
        // Rows shift from one list to the next.
        for (let number = next; number < next + 3 && number <= 250; number++) {
          wan.set(`task-${number}`, 'SUCCEEDED');
          ended.add(`token-${number}`);
        }
        next += 3;
        return answer;
      },
    };
    await watchFor(180, { wan: moving });
    // The last few are queried one by one.
    expect(ended.size).toBeGreaterThan(240);
    expect(woken.map(({ token }) => token).sort()).toEqual([...ended].sort());
  });

  test('a task that starts to run between two lists does not count as ended', async () => {
    await waiting(20, spread);
    const { client } = wan;
    const pending = [3, 9].map((number) => `task-${number}`);
    for (const task_id of pending) wan.set(task_id, 'PENDING');
    const starting: WatcherServices['wan'] = {
      ...client,
      async listTasks(query) {
        const answer = await client.listTasks(query);
        const task_id = pending.shift();
        if (task_id) wan.set(task_id, 'RUNNING');
        return answer;
      },
    };
    await watchFor(30, { wan: starting });
    expect(woken).toEqual([]);
  });

  test('a list of one model does not affect tasks of another', async () => {
    await waiting(20, spread);
    const other = running(99, spread(5));
    const video = { ...other, model: 'wan2.2-i2v-plus' };
    wan.add(other.task.id, 'RUNNING', spread(5));
    await writeToken(store.table, 'token-99', waitFor(video, { now, typicalSeconds: 100 }));
    wan.hidden.add(other.task.id);
    between = () => {
      if (seconds(now) >= 20) wan.set('task-99', 'SUCCEEDED');
    };
    await watchFor(60);
    expect(woken.map(({ token }) => token)).toEqual(['token-99']);
    expect(seconds(woken[0]!.at)).toBeGreaterThanOrEqual(20);
  });

  test('many tasks of a model that was added to the catalogue are queried through lists too', async () => {
    for (let number = 1; number <= 12; number++) {
      const video = { ...running(number), model: 'wan9' };
      wan.add(video.task.id, 'RUNNING');
      await writeToken(store.table, `token-${number}`, waitFor(video, { now, typicalSeconds: 100 }));
    }
    between = () => {
      if (seconds(now) >= 10) wan.set('task-11', 'SUCCEEDED');
    };
    await watchFor(30);
    expect(woken.map(({ token }) => token)).toEqual(['token-11']);
    expect(wan.queries.some(({ what }) => what.startsWith('list'))).toBe(true);
  });
});

describe('a watcher that crashes', () => {
  /** Services of a process that crashes after one of its effects: no later call succeeds. */
  function crashingServices(point: number) {
    const crashing = crashAfter(point);
    const untilCrash = <Result>(effect: () => Promise<Result>): Promise<Result> =>
      crashing.died ? Promise.reject(new Crash('dead')) : crashing.through(effect);
    const whole = services();
    const given: WatcherServices = {
      ...whole,
      table: {
        ...store.table,
        client: { send: ((command: never) => untilCrash(() => store.table.client.send(command))) as never },
      },
      wan: { ...whole.wan, queryTask: (task_id) => untilCrash(() => whole.wan.queryTask(task_id)) },
      wake: (token) => untilCrash(() => whole.wake(token)),
      sleep: (milliseconds) => (crashing.died ? Promise.reject(new Crash('dead')) : whole.sleep(milliseconds)),
      onError: () => undefined,
    };
    return { given, crashing };
  }

  test('after any of its effects is replaced by the next one, which wakes ended tasks', async () => {
    for (let point = 1; ; point++) {
      now = START;
      store = startTable(() => now);
      wan = fakeWan(() => now);
      woken = [];
      between = () => undefined;
      await waiting(2);
      wan.set('task-2', 'SUCCEEDED');
      const { given, crashing } = crashingServices(point);
      const died = await watch(given, 'first', 'schedule').then(
        () => false,
        (error) => error instanceof Crash,
      );
      expect(died).toBe(true);
      expect(crashing.died).toBe(true);
      const before = woken.length;
      await watchFor(seconds(now) + 30);
      const tokens = woken.map(({ token }) => token);
      expect({ point, tokens: [...new Set(tokens)] }).toEqual({ point, tokens: ['token-2'] });
      // A token that was sent but not removed is sent again; Step Functions rejects it.
      expect({ point, sent: tokens.length }).toEqual({
        point,
        sent: expect.toSatisfy((sent) => sent >= 1 && sent <= 2),
      });
      expect((await readWait(store.table, running(2).id))?.token).toBeUndefined();
      expect((await readWait(store.table, running(1).id))?.token).toBe('token-1');
      // The whole first pass, its wake and its cleanup come before this point.
      if (before > 0 && tokens.length === before) break;
      expect(point).toBeLessThan(60);
    }
  });

  test('blocks others for at most 15 s', async () => {
    await acquireLease(store.table, 'killed', false);
    await waiting(1);
    now += 14_000;
    expect(await watch(services(), 'next', 'create-task')).toBe('already_running');
    expect(await keepWatcherAlive(store.table)).toBe(true);
    now += 2000;
    expect(await keepWatcherAlive(store.table)).toBe(false);
    expect(await watch(services(), 'next', 'create-task')).toBe('timed_out');
  });
});

describe('two concurrent watchers', () => {
  test('wake an execution at most once each, and the one without the lease ends', async () => {
    await waiting(3);
    wan.set('task-1', 'SUCCEEDED');
    between = () => {
      if (seconds(now) >= 20) wan.set('task-2', 'FAILED');
    };
    const ends = await Promise.all([watch(services(), 'one', 'schedule'), watch(services(), 'two', 'schedule')]);
    expect(ends.sort()).toEqual(['superseded', 'timed_out']);
    expect(new Set(woken.map(({ token }) => token))).toEqual(new Set(['token-1', 'token-2']));
    expect(woken.length).toBeLessThanOrEqual(4);
  });

  test('remove only the token that they sent, not a newer one', async () => {
    await waiting(1);
    wan.set('task-1', 'SUCCEEDED');
    let written = false;
    await watchFor(8, {
      async wake(token) {
        woken.push({ token, at: now });
        if (written) return;
        written = true;
        await writeToken(store.table, 'second', waitFor(running(1), { now, typicalSeconds: 100, pauseSeconds: 60 }));
      },
    });
    expect(woken.map(({ token }) => token)).toEqual(['token-1']);
    expect((await readWait(store.table, running(1).id))?.token).toBe('second');
  });

  test('both end when a third one acquires the lease', async () => {
    await waiting(1);
    between = async (tick) => {
      if (tick === 4) await acquireLease(store.table, 'three', false);
    };
    expect(await watch(services(), 'one', 'schedule')).toBe('superseded');
    expect(await keepWatcherAlive(store.table)).toBe(true);
  });
});

describe('a wait item', () => {
  test('that is closed, but still in the index, is not queried', async () => {
    await waiting(2);
    wan.set('task-1', 'SUCCEEDED');
    await closeWait(store.table, { id: running(1).id, run: 1 });
    const stale = { pk: waitFor(running(1), { now, typicalSeconds: 1 }).key, open_order: `${model}#task-1` };
    const send = (async (command: { input: { IndexName?: string; Limit?: number } }) => {
      const answer = await store.table.client.send(command as never);
      const { Items = [] } = answer as { Items?: object[] };
      return command.input.IndexName ? { ...(answer as object), Items: [...Items, stale] } : answer;
    }) as typeof store.table.client.send;
    await watchFor(30, { table: { ...store.table, client: { send } } });
    expect(woken).toEqual([]);
    expect(wan.queries.some(({ what }) => what === 'task-1')).toBe(false);
  });

  test('with a new task of the same video is watched for that task', async () => {
    await waiting(1);
    between = async () => {
      if (seconds(now) !== 9) return;
      const again = { ...running(1), run: 2, task: { ...running(1).task, id: 'task-9' } };
      wan.add('task-9', 'RUNNING');
      wan.set('task-1', 'FAILED');
      await closeWait(store.table, { id: again.id, run: 1 });
      await writeToken(store.table, 'token-9', waitFor(again, { now, typicalSeconds: 100 }));
    };
    await watchFor(30);
    expect(woken).toEqual([]);
    expect(wan.queries.filter(({ at }) => seconds(at) > 12).every(({ what }) => what === 'task-9')).toBe(true);
  });

  test('that is closed after a timeout is no longer queried', async () => {
    await waiting(2);
    between = async () => {
      if (seconds(now) === 9) await closeWait(store.table, { id: running(1).id, run: 1 });
    };
    await watchFor(30);
    expect(wan.queries.filter(({ at, what }) => what === 'task-1' && seconds(at) > 12)).toEqual([]);
    expect(wan.queries.filter(({ at, what }) => what === 'task-2' && seconds(at) > 12)).not.toEqual([]);
  });

  test('is not queried during its pause', async () => {
    const video = running(1);
    wan.add('task-1', 'SUCCEEDED');
    await writeToken(store.table, 'token', waitFor(video, { now, typicalSeconds: 100, pauseSeconds: 30 }));
    await watchFor(60);
    expect(seconds(wan.queries[0]!.at)).toBeGreaterThanOrEqual(30);
    expect(woken.length).toBe(1);
  });

  test('is in the index with its keys only, without its token', async () => {
    await waiting(2);
    for (const index of Object.values(indexes)) {
      const { Items } = await store.table.client.send(
        new ScanCommand({ TableName: store.table.tableName, IndexName: index.name }),
      );
      expect(JSON.stringify(Items)).not.toContain('token');
      if (index === indexes.byStatus) expect(Items).toHaveLength(2);
    }
  });

  test('expires at least two days after its task must have ended', async () => {
    const { ttl } = waitFor(running(1), { now, typicalSeconds: 100 });
    expect(Number(ttl) * 1000 - START).toBeGreaterThan(2 * 24 * 3600_000);
  });
});

describe('a failure', () => {
  test.each(['throttled', 'account_refused'] as const)(
    '%s response to a list makes the watcher query once a minute',
    async (outcome) => {
      await waiting(20);
      wan.answer = { outcome, code: 'x', message: '', retryable: true, billed: false, reason: 'arrears' } as never;
      await watchFor(130);
      const passes = new Set(wan.queries.map(({ at }) => Math.floor(seconds(at) / 30)));
      expect(wan.queries.some(({ what }) => what.startsWith('list'))).toBe(true);
      expect(passes).toEqual(new Set([0, 2, 4]));
      expect(wan.queries.length).toBeLessThanOrEqual(30);
      expect(woken).toEqual([]);
    },
  );

  test.each(['throttled', 'account_refused'] as const)(
    '%s response to a query makes the watcher query once a minute',
    async (outcome) => {
      await waiting(3);
      wan.answer = { outcome, code: 'x', message: '', retryable: true, billed: false, reason: 'arrears' } as never;
      await watchFor(130);
      expect(wan.queries.length).toBe(3 * 3);
      expect(woken).toEqual([]);
    },
  );

  test('of the table in one tick does not affect the next ticks', async () => {
    await waiting(1);
    let fails = 0;
    const table = {
      ...store.table,
      client: {
        send: ((command: { input: { IndexName?: string } }) => {
          if (command.input.IndexName && fails++ === 3) throw new Error('DynamoDB is unavailable');
          return store.table.client.send(command as never);
        }) as typeof store.table.client.send,
      },
    };
    between = () => {
      if (seconds(now) >= 20) wan.set('task-1', 'SUCCEEDED');
    };
    await watchFor(60, { table });
    expect(errors.length).toBe(1);
    expect(woken.length).toBe(1);
  });

  test('to get a slot skips the queries of one tick', async () => {
    await waiting(1);
    wan.set('task-1', 'SUCCEEDED');
    let taken = 5;
    const reserve: WatcherServices['reserveQueries'] = async (count) =>
      taken-- > 0 ? undefined : reserveQueries(store.table, count, { perSecond: 10, maxWait: 5000 });
    await watchFor(60, { reserveQueries: reserve });
    expect(woken.length).toBe(1);
    expect(seconds(woken[0]!.at)).toBeGreaterThan(7);
  });
});

describe('the time without a watcher', () => {
  test('counts from the start of the wait or the end of the last watcher, whichever is later', async () => {
    expect(await unwatchedSeconds(store.table)).toBe(0);
    await waiting(1);
    now += 400_000;
    expect(await unwatchedSeconds(store.table)).toBe(400);
    await acquireLease(store.table, 'one', false);
    expect(await unwatchedSeconds(store.table)).toBe(0);
    now += 45_000;
    expect(await unwatchedSeconds(store.table)).toBe(30);
  });
});
