import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { waitForChange } from '../../../../functions/api/videos/long-poll.ts';
import { replaceWithTombstone } from '../../../../functions/video/deletion.ts';
import { keys } from '../../../../functions/video/keys.ts';
import { isTerminal, type Status, type VideoRecord } from '../../../../functions/video/record.ts';
import { changeStatus, changeVideo, createVideo } from '../../../../functions/video/store.ts';
import { getItem } from '../../../../functions/video/table.ts';
import { startTable } from '../../../support/table.ts';
import { aTask, aVideo } from '../../../support/videos.ts';
import { anApi } from '../support.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const clock = { now: start };
const store = startTable(() => clock.now);
/** Actions that run during a sleep, `after` milliseconds after the request. */
let actions: { after: number; run: () => Promise<unknown> }[];
let slept: number[];
beforeEach(() => {
  clock.now = start;
  actions = [];
  slept = [];
});

async function sleep(milliseconds: number): Promise<void> {
  slept.push(milliseconds);
  clock.now += milliseconds;
  for (const action of actions.filter(({ after }) => start + after <= clock.now)) {
    actions.splice(actions.indexOf(action), 1);
    await action.run();
  }
}

const waited = () => slept.reduce((sum, each) => sum + each, 0);
const at = (after: number, run: () => Promise<unknown>) => void actions.push({ after, run });

async function storeVideo(status: Status, overrides: Partial<VideoRecord> = {}): Promise<VideoRecord> {
  const video = aVideo({ status, ...overrides });
  await createVideo(store.table, video);
  return video;
}

const get = (id: string, wait: string | undefined, headers: Record<string, string> = {}) =>
  anApi(store.table, { sleep }).get({ id, headers, ...(wait === undefined ? {} : { query: { wait } }) });

describe('GET /videos/{id} with wait', () => {
  test('answers soon after the status changes', async () => {
    const video = await storeVideo('queued');
    at(3000, () => changeStatus(store.table, video, 'submitting'));
    expect(await get(video.id, '20')).toMatchObject({ status: 200, body: { status: 'submitting' } });
    expect(waited()).toBeGreaterThanOrEqual(3000);
    expect(waited()).toBeLessThan(4000);
  });

  test('returns the current video when the time is up, and never later', async () => {
    const video = await storeVideo('running', { task: aTask({ status: 'PENDING' }) });
    at(500, () => changeVideo(store.table, video, { set: { task: aTask({ status: 'RUNNING' }) } }));
    expect(await get(video.id, '25')).toMatchObject({
      status: 200,
      body: { status: 'running', task: { status: 'RUNNING' }, progress: 30 },
    });
    expect(waited()).toBe(25_000);
  });

  test('polls often at first, then each second', async () => {
    const { id } = await storeVideo('running');
    await get(id, '25');
    expect(slept[0]).toBe(250);
    const whole = slept.slice(0, -1);
    expect(whole.every((each, index) => each >= (whole[index - 1] ?? 0) && each <= 1000)).toBe(true);
    expect(slept.length).toBeGreaterThan(25);
    expect(slept.length).toBeLessThan(35);
  });

  test.each(['succeeded', 'failed', 'canceled'] as const)('answers immediately for a %s video', async (status) => {
    const { id } = await storeVideo(status);
    expect(await get(id, '25')).toMatchObject({ status: 200, body: { status } });
    expect(slept).toEqual([]);
  });

  test.each([undefined, '0', '00'])('does not wait for %s seconds', async (wait) => {
    const { id } = await storeVideo('running');
    expect((await get(id, wait)).status).toBe(200);
    expect(slept).toEqual([]);
  });

  test('answers immediately if the ETag is outdated', async () => {
    const { id } = await storeVideo('running');
    expect((await get(id, '25', { 'if-none-match': '"older"' })).status).toBe(200);
    expect(slept).toEqual([]);
  });

  test('waits if the ETag is current: 304 without a change, otherwise the changed video', async () => {
    const video = await storeVideo('queued');
    const { etag } = (await get(video.id, undefined)).headers;
    const headers = { 'if-none-match': etag! };
    expect(await get(video.id, '2', headers)).toMatchObject({ status: 304, headers: { etag }, body: undefined });
    expect(waited()).toBe(2000);
    at(2500, () => changeStatus(store.table, video, 'submitting'));
    expect(await get(video.id, '25', headers)).toMatchObject({ status: 200, body: { status: 'submitting' } });
    expect(waited()).toBeLessThan(4000);
  });

  test('answers 404 when the video is deleted while it waits', async () => {
    const video = await storeVideo('queued');
    at(1000, () => replaceWithTombstone(store.table, video));
    const response = await get(video.id, '25');
    expect(response).toEqual(await get(aVideo().id, '25'));
    expect(response.status).toBe(404);
    expect(waited()).toBeLessThan(2000);
  });

  test.each(['26', '-1', '1.5', '1e1', '', ' 5', '5s', '999', 'Infinity'])(
    'answers "%s" seconds with 400',
    async (wait) => {
      const { id } = await storeVideo('running');
      expect(await get(id, wait)).toMatchObject({
        status: 400,
        body: { code: 'invalid_query', errors: [{ pointer: '/wait' }] },
      });
    },
  );
});

test('waits for any condition, such as a terminal status', async () => {
  const video = await storeVideo('queued');
  at(1000, () => changeStatus(store.table, video, 'submitting'));
  at(5000, () => changeStatus(store.table, { ...video, status: 'submitting' }, 'failed'));
  const until = ({ status }: VideoRecord) => isTerminal(status);
  const services = { table: store.table, sleep, longPolls: { per_owner: 10, total: 50 } };
  const { video: ended } = await waitForChange(services, video, { seconds: 25, until });
  expect(ended?.status).toBe('failed');
  expect(waited()).toBeLessThan(6100);
  const calls = slept.length;
  expect(await waitForChange(services, ended!, { seconds: 25, until })).toEqual({ video: ended, waited: true });
  expect(slept.length).toBe(calls);
});

describe('slots of long polls', () => {
  const longPolls = { per_owner: 3, total: 5 };
  /** A long poll that ends when `end` is called. */
  async function poll(owner: string, limits = longPolls) {
    const video = await storeVideo('running', { owner });
    let end!: () => void;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    let sleeping = false;
    const held = waitForChange(
      {
        table: store.table,
        longPolls: limits,
        sleep: async (milliseconds) => {
          sleeping = true;
          await ended;
          clock.now += milliseconds;
        },
      },
      video,
      { seconds: 25, until: () => false },
    );
    /** Whether it waits; false when it got no slot. */
    const waits = async () => {
      while (!sleeping && (await Promise.race([held, tick('pending')])) === 'pending');
      return sleeping;
    };
    return { held, waits, end };
  }
  const tick = <Value>(value: Value) => new Promise<Value>((resolve) => setImmediate(resolve, value));
  const waiting = async (polls: readonly Awaited<ReturnType<typeof poll>>[]) =>
    (await Promise.all(polls.map(({ waits }) => waits()))).filter((each) => each).length;
  const start = (owner: string, count: number, limits = longPolls) =>
    Promise.all(Array.from({ length: count }, () => poll(owner, limits)));
  const slots = async () =>
    (await getItem<{ slots?: Record<string, number> }>(store.table, keys.longPolls))?.slots ?? {};
  /** Ends polls, and lets slots expire that crashed functions held. */
  const end = async (...polls: Awaited<ReturnType<typeof poll>>[]) => {
    for (const each of polls) each.end();
    await Promise.all(polls.map(({ held }) => held));
  };
  beforeEach(async () => {
    await store.table.client.send(new DeleteCommand({ TableName: store.table.tableName, Key: { pk: keys.longPolls } }));
  });

  test('bound the concurrent long polls of an owner, and of all owners together', async () => {
    const alice = await start('alice', 10);
    expect(await waiting(alice)).toBe(3);
    const others = [...(await start('bob', 10)), ...(await start('carol', 10))];
    expect(await waiting(others)).toBe(2);
    expect(Object.keys(await slots()).sort()).toHaveLength(5);
    await end(...alice, ...others);
    expect(await slots()).toEqual({});
  });

  test('are free again as soon as a long poll ends', async () => {
    const [first, ...others] = await start('alice', 3);
    expect(await waiting([first!, ...others])).toBe(3);
    await end(first!);
    const next = await start('alice', 2);
    expect(await waiting(next)).toBe(1);
    await end(...others, ...next);
  });

  test('are free again after a failure while waiting', async () => {
    const video = await storeVideo('running', { owner: 'alice' });
    const sleep = () => Promise.reject(new Error('the function ends'));
    const failing = waitForChange({ table: store.table, sleep, longPolls }, video, { seconds: 25, until: () => false });
    await expect(failing).rejects.toThrow('the function ends');
    expect(await slots()).toEqual({});
  });

  test('of a crashed function expire, for its owner and for all', async () => {
    // A function that never ends: its slot stays.
    const crashed = [...(await start('alice', 3)), ...(await start('bob', 2))];
    expect(await waiting(crashed)).toBe(5);
    const refused = [...(await start('alice', 1)), ...(await start('carol', 1))];
    expect(await waiting(refused)).toBe(0);
    clock.now += 27_000;
    const next = [...(await start('alice', 4)), ...(await start('carol', 4))];
    expect(await waiting(next)).toBe(5);
    expect(Object.keys(await slots())).toHaveLength(5);
    // The crashed holders are slow after all: they release nothing that is not theirs.
    await end(...crashed);
    expect(Object.keys(await slots())).toHaveLength(5);
    await end(...next);
    expect(await slots()).toEqual({});
  });

  test('that a clock acquired which was set back since count as expired', async () => {
    const ahead = await start('alice', 3);
    expect(await waiting(ahead)).toBe(3);
    clock.now -= 3600_000;
    const next = await start('alice', 3);
    expect(await waiting(next)).toBe(3);
    await end(...ahead, ...next);
  });

  test('never exceed the limits, whatever starts, ends and crashes in whatever order', async () => {
    const step = fc.record({
      kind: fc.constantFrom('start', 'end', 'crash', 'pass'),
      owner: fc.constantFrom('alice', 'bob', 'carol'),
      count: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        clock.now += 60_000;
        let held: { owner: string; poll: Awaited<ReturnType<typeof poll>> }[] = [];
        for (const { kind, owner, count } of steps) {
          const own = held.filter((each) => each.owner === owner).slice(0, count);
          if (kind === 'start') {
            const before = held.filter((each) => each.owner === owner).length;
            const started = await start(owner, count);
            await waiting(started);
            for (const each of started) if (await each.waits()) held.push({ owner, poll: each });
            expect(held.filter((each) => each.owner === owner).length).toBeLessThanOrEqual(longPolls.per_owner);
            expect(held.length).toBeLessThanOrEqual(longPolls.total);
            // A long poll is only refused when a limit is reached.
            const expected = Math.min(before + count, longPolls.per_owner);
            if (held.length < longPolls.total)
              expect(held.filter((each) => each.owner === owner).length).toBeGreaterThanOrEqual(expected);
          } else if (kind === 'end') {
            await end(...own.map((each) => each.poll));
            held = held.filter((each) => !own.includes(each));
          } else if (kind === 'pass') {
            // All slots expire; a holder that lives past that counts no longer.
            clock.now += 30_000;
            held = [];
          }
          // 'crash': nothing releases the slots, which stay held until time passes.
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  test('are bounded without per-owner or total limit of 0 either: nothing waits', async () => {
    expect(await waiting(await start('alice', 2, { per_owner: 0, total: 5 }))).toBe(0);
    expect(await waiting(await start('alice', 2, { per_owner: 3, total: 0 }))).toBe(0);
  });

  test('beyond them the current video is returned immediately, with Retry-After, never an error', async () => {
    const { id } = await storeVideo('running');
    const api = anApi(store.table, { sleep, longPolls: { per_owner: 0, total: 5 } });
    const response = await api.get({ id, query: { wait: '25' } });
    expect(response).toMatchObject({ status: 200, body: { id, status: 'running' } });
    expect(Number(response.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    const again = await api.get({ id, query: { wait: '25' }, headers: { 'if-none-match': response.headers.etag! } });
    expect(again.status).toBe(304);
    expect(Number(again.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(slept).toEqual([]);
  });

  test('a table that fails for them delays nothing and causes no error', async () => {
    const { id } = await storeVideo('running');
    const failing = {
      send: (command: { input: { Key?: { pk?: string } } }) =>
        command.input.Key?.pk === keys.longPolls
          ? Promise.reject(new Error('throttled'))
          : store.table.client.send(command as never),
    } as typeof store.table.client;
    const api = anApi({ ...store.table, client: failing }, { sleep });
    expect(await api.get({ id, query: { wait: '25' } })).toMatchObject({ status: 200, body: { status: 'running' } });
    expect(slept).toEqual([]);
  });
});
