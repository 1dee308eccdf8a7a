import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { closeWait, readWait, waitFor } from '../../../functions/polling/wait-item.ts';
import { type WatcherServices, watch } from '../../../functions/polling/watcher.ts';
import { acquireLease, keepWatcherAlive, unwatchedSeconds } from '../../../functions/polling/watcher-lease.ts';
import { reserveQueries } from '../../../functions/queue/rate-limiter.ts';
import { indexes } from '../../../functions/shared/table-schema.ts';
import type { Task, VideoRecord } from '../../../functions/video/record.ts';
import { startTable } from '../../support/table.ts';
import { aTask, aVideo } from '../../support/videos.ts';
import { Crash, crashAfter } from '../workflow/support.ts';
import { fakeWan, model } from './fake-wan.ts';
import { sleepWith } from './sleep-with.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

let store: ReturnType<typeof startTable>;
let now: number;
let wan: ReturnType<typeof fakeWan>;
/** Tokens that were sent, with the time. */
let woken: { token: string; at: number }[];
/** What happens between two ticks, by the tick's number. */
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

/** Executions that wait for tasks that run at Wan. */
async function waiting(count: number, submittedOf = (_number: number) => now): Promise<void> {
  for (let number = 1; number <= count; number++) {
    const video = running(number, submittedOf(number));
    wan.add(video.task.id, 'RUNNING', submittedOf(number));
    await sleepWith(store.table, `token-${number}`, waitFor(video, { now, typicalSeconds: 100 }));
  }
}

/** Runs a watcher until another one takes its lease. */
async function watchFor(untilSeconds: number, given: Partial<WatcherServices> = {}): Promise<void> {
  const before = between;
  between = async (tick) => {
    if (seconds(now) >= untilSeconds) await acquireLease(store.table, 'successor', false);
    await before(tick);
  };
  expect(await watch(services(given), 'one', 'schedule')).toBe('superseded');
}

/** Queries about single tasks, from so many seconds on. */
const singlesAfter = (from: number) =>
  wan.queries.filter(({ at, what }) => seconds(at) >= from && !what.startsWith('list'));

const seconds = (milliseconds: number) => (milliseconds - START) / 1000;

describe('a watcher that the schedule starts', () => {
  test('ends at once when nothing waits, without a word to Wan or to the lease', async () => {
    expect(await watch(services(), 'one', 'schedule')).toBe('nothing_waits');
    expect(now).toBe(START);
    expect(await keepWatcherAlive(store.table)).toBe(false);
  });

  test('ends after 4 minutes when none succeeds it, and its lease is free', async () => {
    await waiting(1);
    expect(await watch(services(), 'one', 'schedule')).toBe('timed_out');
    expect(seconds(now)).toBeGreaterThanOrEqual(240);
    expect(seconds(now)).toBeLessThan(245);
    expect(await keepWatcherAlive(store.table)).toBe(false);
  });

  test('takes over from the one before, which ends within its next renewal', async () => {
    await waiting(1);
    between = async (tick) => {
      if (tick === 10) expect(await acquireLease(store.table, 'two', false)).toBe(true);
    };
    expect(await watch(services(), 'one', 'schedule')).toBe('superseded');
    expect(seconds(now)).toBeLessThan(25);
  });
});

describe('a watcher that a created task starts', () => {
  test('ends when another is alive', async () => {
    await acquireLease(store.table, 'other', false);
    expect(await watch(services(), 'one', 'create-task')).toBe('already_running');
  });

  test('stays 10 s for the token that comes after CreateTask has returned', async () => {
    between = async () => {
      if (seconds(now) === 6) await waiting(1);
      if (seconds(now) >= 12) wan.set('task-1', 'SUCCEEDED');
    };
    const end = watch(services(), 'one', 'create-task');
    expect(await end).toBe('timed_out');
    expect(woken.map(({ token }) => token)).toEqual(['token-1']);
  });

  test('is kept by a task that was created just before it would end, so that no task waits for the next minute', async () => {
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
    'that is %s wakes its execution within a tick, once',
    async (status) => {
      await waiting(3);
      between = () => {
        if (seconds(now) >= 30) wan.set('task-2', status);
      };
      await watchFor(60);
      expect(woken.map(({ token }) => token)).toEqual(['token-2']);
      expect(seconds(woken[0]!.at)).toBeLessThanOrEqual(33);
      expect((await readWait(store.table, running(2).id))?.token).toBeUndefined();
      // What became of it is CheckTask's.
      expect(wan.queries.filter(({ at, what }) => what === 'task-2' && at > woken[0]!.at)).toEqual([]);
    },
  );

  test('of a status that nothing documents wakes it as well: CheckTask judges', async () => {
    await waiting(1);
    wan.answer = { outcome: 'unrecognised', status: 'QUEUED', task_id: 'task-1' };
    await watchFor(60);
    expect(woken.length).toBe(1);
  });

  test('whose execution goes back to sleep with another token is woken by that one, but not before its pause is over', async () => {
    await waiting(1);
    wan.set('task-1', 'SUCCEEDED');
    between = async () => {
      if (woken.length === 1 && seconds(now) > 3 && (await readWait(store.table, running(1).id))?.token === undefined)
        await sleepWith(store.table, 'second', waitFor(running(1), { now, typicalSeconds: 100, pauseSeconds: 60 }));
    };
    await watchFor(80);
    expect(woken.map(({ token }) => token).slice(0, 2)).toEqual(['token-1', 'second']);
    expect(woken[1]!.at - woken[0]!.at).toBeGreaterThanOrEqual(60_000);
  });

  test('is woken by the token that counts, not by one that was read before', async () => {
    await waiting(1);
    between = async () => {
      if (seconds(now) > 10) {
        await sleepWith(store.table, 'newer', waitFor(running(1), { now, typicalSeconds: 100 }));
        wan.set('task-1', 'SUCCEEDED');
      }
    };
    await watchFor(60);
    expect(woken[0]?.token).toBe('newer');
  });

  test('whose execution went back to sleep with a pause, while Wan was asked, is not woken before it is over', async () => {
    await waiting(1);
    const { client } = wan;
    let slept = false;
    const asked: WatcherServices['wan'] = {
      ...client,
      async queryTask(task_id) {
        const wait = waitFor(running(1), { now, typicalSeconds: 100, pauseSeconds: 40 });
        if (!slept) slept = await sleepWith(store.table, 'second', wait);
        wan.set(task_id, 'SUCCEEDED');
        return client.queryTask(task_id);
      },
    };
    await watchFor(60, { wan: asked });
    expect(woken.map(({ token }) => token)).toEqual(['second']);
    expect(seconds(woken[0]!.at)).toBeGreaterThanOrEqual(40);
  });

  test('is woken again when sending the token failed', async () => {
    await waiting(1);
    wan.set('task-1', 'SUCCEEDED');
    let fails = 1;
    const wake = async (token: string) => {
      if (fails-- > 0) throw new Error('Step Functions is away');
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

  test('are looked for in lists that each fit a page, at the rate that is allowed', async () => {
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

  test('are asked about one by one while there are 8 or fewer', async () => {
    await waiting(8, spread);
    await watchFor(60);
    expect(wan.queries.some(({ what }) => what.startsWith('list'))).toBe(false);
  });

  test('are noticed by either clock that Wan may read a list by', async () => {
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

  test('that all end at once are noticed, although the lists are then empty', async () => {
    await waiting(20, spread);
    between = () => {
      if (seconds(now) >= 20) for (const task_id of wan.tasks.keys()) wan.set(task_id, 'SUCCEEDED');
    };
    await watchFor(60);
    expect(woken.length).toBe(20);
    expect(seconds(woken.at(-1)!.at)).toBeLessThan(35);
  });

  test('beside those of another program, whose rows push ours to a second page, are asked about in turn', async () => {
    await waiting(20, spread);
    for (let other = 0; other < 400; other++) wan.add(`foreign-${other}`, 'RUNNING', START - 600_000 + other * 110);
    between = () => {
      if (seconds(now) >= 20) for (const number of [1, 20, 9]) wan.set(`task-${number}`, 'SUCCEEDED');
    };
    await watchFor(60);
    expect(woken.map(({ token }) => token).sort()).toEqual(['token-1', 'token-20', 'token-9']);
    expect(seconds(woken.at(-1)!.at)).toBeLessThan(40);
  });

  test('whose times at Wan are by a clock that is 20 s off are not taken for ended', async () => {
    await waiting(20, spread);
    for (const each of wan.tasks.values()) each.submitted -= 20_000;
    await watchFor(30);
    expect(woken).toEqual([]);
  });

  test('of which one is older than a list covers are noticed all the same', async () => {
    await waiting(20, (number) => (number === 1 ? START - 20 * 3600_000 : spread(number)));
    between = () => {
      if (seconds(now) >= 20) for (const number of [1, 20]) wan.set(`task-${number}`, 'SUCCEEDED');
    };
    await watchFor(60);
    expect(new Set(singlesAfter(10).map(({ what }) => what))).toEqual(new Set(['task-1']));
    expect(woken.map(({ token }) => token).sort()).toEqual(['token-1', 'token-20']);
  });

  test('among those of another program are soon looked for in lists that hold both', async () => {
    await waiting(100, spread);
    for (let other = 0; other < 60; other++) wan.add(`foreign-${other}`, 'RUNNING', spread(1 + (other * 5) / 3));
    await watchFor(60);
    expect(singlesAfter(0).length).toBeGreaterThan(0);
    expect(singlesAfter(30)).toEqual([]);
    expect(woken).toEqual([]);
  });

  test('that all are PENDING, more than a page, are soon seen in lists alone', async () => {
    await waiting(150, spread);
    for (const task_id of wan.tasks.keys()) wan.set(task_id, 'PENDING');
    await watchFor(60);
    expect(singlesAfter(30)).toEqual([]);
    expect(woken).toEqual([]);
  });

  test('are asked about at the moments that were reserved', async () => {
    await waiting(6);
    const reserve: WatcherServices['reserveQueries'] = (count) =>
      reserveQueries(store.table, count, { perSecond: 2, maxWait: 5000 });
    const { sleep } = services();
    const slept: number[] = [];
    const noted = (milliseconds: number) => {
      slept.push(milliseconds);
      return sleep(milliseconds);
    };
    await watchFor(30, { reserveQueries: reserve, sleep: noted });
    expect(slept.slice(0, 6)).toEqual([0, 500, 1000, 1500, 2000, 2500]);
  });

  test('that a list misses are woken, and left alone for the pause that CheckTask sets', async () => {
    await waiting(20, spread);
    wan.hidden.add('task-5');
    let pause = 0;
    between = async () => {
      const item = await readWait(store.table, running(5).id);
      if (item?.token !== undefined) return;
      pause = Math.max(10, 2 * pause);
      await sleepWith(
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

describe('while tasks end and begin to run', () => {
  const spread = (number: number) => START - 600_000 + number * 2000;

  test('between the lists of one look, every end is noticed and no task is taken for ended that goes on', async () => {
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
    // The last few are asked about one by one.
    expect(ended.size).toBeGreaterThan(240);
    expect(woken.map(({ token }) => token).sort()).toEqual([...ended].sort());
  });

  test('a task that begins to run between two lists is not taken for ended', async () => {
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

  test('a list of one model says nothing of the tasks of another', async () => {
    await waiting(20, spread);
    const other = running(99, spread(5));
    const video = { ...other, model: 'wan2.2-i2v-plus' };
    wan.add(other.task.id, 'RUNNING', spread(5));
    await sleepWith(store.table, 'token-99', waitFor(video, { now, typicalSeconds: 100 }));
    wan.hidden.add(other.task.id);
    between = () => {
      if (seconds(now) >= 20) wan.set('task-99', 'SUCCEEDED');
    };
    await watchFor(60);
    expect(woken.map(({ token }) => token)).toEqual(['token-99']);
    expect(seconds(woken[0]!.at)).toBeGreaterThanOrEqual(20);
  });

  test('many tasks of a model that the catalogue does not know are asked about one by one', async () => {
    for (let number = 1; number <= 12; number++) {
      const video = { ...running(number), model: 'wan9' };
      wan.add(video.task.id, 'RUNNING');
      await sleepWith(store.table, `token-${number}`, waitFor(video, { now, typicalSeconds: 100 }));
    }
    between = () => {
      if (seconds(now) >= 10) wan.set('task-11', 'SUCCEEDED');
    };
    await watchFor(30);
    expect(woken.map(({ token }) => token)).toEqual(['token-11']);
    expect(wan.queries.some(({ what }) => what.startsWith('list'))).toBe(false);
  });
});

describe('a watcher that is killed', () => {
  /** Services of a process that dies right after one of its effects: nothing works from then on. */
  function dying(point: number) {
    const crashing = crashAfter(point);
    const alive = <Result>(effect: () => Promise<Result>): Promise<Result> =>
      crashing.died ? Promise.reject(new Crash('dead')) : crashing.through(effect);
    const whole = services();
    const given: WatcherServices = {
      ...whole,
      table: {
        ...store.table,
        client: { send: ((command: never) => alive(() => store.table.client.send(command))) as never },
      },
      wan: { ...whole.wan, queryTask: (task_id) => alive(() => whole.wan.queryTask(task_id)) },
      wake: (token) => alive(() => whole.wake(token)),
      sleep: (milliseconds) => (crashing.died ? Promise.reject(new Crash('dead')) : whole.sleep(milliseconds)),
      onError: () => undefined,
    };
    return { given, crashing };
  }

  test('after any of its effects leaves everything to the next one, which wakes what has ended', async () => {
    for (let point = 1; ; point++) {
      now = START;
      store = startTable(() => now);
      wan = fakeWan(() => now);
      woken = [];
      between = () => undefined;
      await waiting(2);
      wan.set('task-2', 'SUCCEEDED');
      const { given, crashing } = dying(point);
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
      // A token that was sent and not removed is sent again, which Step Functions refuses.
      expect({ point, sent: tokens.length }).toEqual({
        point,
        sent: expect.toSatisfy((sent) => sent >= 1 && sent <= 2),
      });
      expect((await readWait(store.table, running(2).id))?.token).toBeUndefined();
      expect((await readWait(store.table, running(1).id))?.token).toBe('token-1');
      // The whole first look, its wake and its clean-up are behind this point.
      if (before > 0 && tokens.length === before) break;
      expect(point).toBeLessThan(60);
    }
  });

  test('keeps others from working for 15 s at most', async () => {
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

describe('two watchers at once', () => {
  test('wake an execution once each at most, and the one that lost its lease ends', async () => {
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

  test('remove only the token that they sent, not one with which the execution sleeps again', async () => {
    await waiting(1);
    wan.set('task-1', 'SUCCEEDED');
    let slept = false;
    await watchFor(8, {
      async wake(token) {
        woken.push({ token, at: now });
        if (slept) return;
        slept = true;
        await sleepWith(store.table, 'second', waitFor(running(1), { now, typicalSeconds: 100, pauseSeconds: 60 }));
      },
    });
    expect(woken.map(({ token }) => token)).toEqual(['token-1']);
    expect((await readWait(store.table, running(1).id))?.token).toBe('second');
  });

  test('end both when the lease passes to a third', async () => {
    await waiting(1);
    between = async (tick) => {
      if (tick === 4) await acquireLease(store.table, 'three', false);
    };
    expect(await watch(services(), 'one', 'schedule')).toBe('superseded');
    expect(await keepWatcherAlive(store.table)).toBe(true);
  });
});

describe('a wait item', () => {
  test('that was closed, but that the index still lists, is not asked about', async () => {
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

  test('of a new task of the same video is watched by that task', async () => {
    await waiting(1);
    between = async () => {
      if (seconds(now) !== 9) return;
      const again = { ...running(1), run: 2, task: { ...running(1).task, id: 'task-9' } };
      wan.add('task-9', 'RUNNING');
      wan.set('task-1', 'FAILED');
      await closeWait(store.table, { id: again.id, run: 1 });
      await sleepWith(store.table, 'token-9', waitFor(again, { now, typicalSeconds: 100 }));
    };
    await watchFor(30);
    expect(woken).toEqual([]);
    expect(wan.queries.filter(({ at }) => seconds(at) > 12).every(({ what }) => what === 'task-9')).toBe(true);
  });

  test('that is closed after a timeout is not asked about any more', async () => {
    await waiting(2);
    between = async () => {
      if (seconds(now) === 9) await closeWait(store.table, { id: running(1).id, run: 1 });
    };
    await watchFor(30);
    expect(wan.queries.filter(({ at, what }) => what === 'task-1' && seconds(at) > 12)).toEqual([]);
    expect(wan.queries.filter(({ at, what }) => what === 'task-2' && seconds(at) > 12)).not.toEqual([]);
  });

  test('is not asked about before its pause is over', async () => {
    const video = running(1);
    wan.add('task-1', 'SUCCEEDED');
    await sleepWith(store.table, 'token', waitFor(video, { now, typicalSeconds: 100, pauseSeconds: 30 }));
    await watchFor(60);
    expect(seconds(wan.queries[0]!.at)).toBeGreaterThanOrEqual(30);
    expect(woken.length).toBe(1);
  });

  test('is listed by no attribute but its keys: no index has its token', async () => {
    await waiting(2);
    for (const index of Object.values(indexes)) {
      const { Items } = await store.table.client.send(
        new ScanCommand({ TableName: store.table.tableName, IndexName: index.name }),
      );
      expect(JSON.stringify(Items)).not.toContain('token');
      if (index === indexes.byStatus) expect(Items).toHaveLength(2);
    }
  });

  test('expires two days or more after its task can have ended', async () => {
    const { ttl } = waitFor(running(1), { now, typicalSeconds: 100 });
    expect(Number(ttl) * 1000 - START).toBeGreaterThan(2 * 24 * 3600_000);
  });
});

describe('trouble', () => {
  test.each(['throttled', 'account_refused'] as const)(
    '%s by Wan, when it lists, makes it ask once a minute',
    async (outcome) => {
      await waiting(20);
      wan.answer = { outcome, code: 'x', message: '', retryable: true, billed: false, reason: 'arrears' } as never;
      await watchFor(130);
      const looks = new Set(wan.queries.map(({ at }) => Math.floor(seconds(at) / 30)));
      expect(wan.queries.some(({ what }) => what.startsWith('list'))).toBe(true);
      expect(looks).toEqual(new Set([0, 2, 4]));
      expect(wan.queries.length).toBeLessThanOrEqual(30);
      expect(woken).toEqual([]);
    },
  );

  test.each(['throttled', 'account_refused'] as const)('%s by Wan makes it ask once a minute', async (outcome) => {
    await waiting(3);
    wan.answer = { outcome, code: 'x', message: '', retryable: true, billed: false, reason: 'arrears' } as never;
    await watchFor(130);
    expect(wan.queries.length).toBe(3 * 3);
    expect(woken).toEqual([]);
  });

  test('of the table in one tick leaves the next ones as they are', async () => {
    await waiting(1);
    let fails = 0;
    const table = {
      ...store.table,
      client: {
        send: ((command: { input: { IndexName?: string } }) => {
          if (command.input.IndexName && fails++ === 3) throw new Error('DynamoDB is away');
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

  test('with its rate: when all moments are taken it asks nothing and goes on', async () => {
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
  test('counts from when executions wait, or the last watcher was alive, whichever is later', async () => {
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
