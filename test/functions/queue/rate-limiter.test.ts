import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { createRequestLimiter, reserveQueries } from '../../../functions/queue/rate-limiter.ts';
import { startTable } from '../../support/table.ts';

const clock = { now: 10_000 };
const store = startTable(() => clock.now);
beforeEach(() => {
  clock.now += 60_000;
});

const reserve = (count: number, maxWait: number, perSecond = 10) =>
  reserveQueries(store.table, count, { perSecond, maxWait });
const reserveOften = (times: number, maxWait: number, perSecond = 10) =>
  Promise.all(Array.from({ length: times }, () => reserve(1, maxWait, perSecond)));
const inOrder = (one: number, other: number) => one - other;

test.each([
  [10, 100],
  [15, 67],
  [1, 1000],
])(
  'with %d queries per second, concurrent callers get slots every %d ms, the first one now',
  async (perSecond, interval) => {
    const reserved = await reserveOften(20, 60_000, perSecond);
    const moments = reserved.map((each) => each!.first - clock.now).sort(inOrder);
    expect(moments).toEqual(moments.map((_, index) => index * interval));
  },
);

describe('several queries', () => {
  test('get consecutive slots in one write', async () => {
    let writes = 0;
    const send = ((command: never) => {
      writes++;
      return store.table.client.send(command);
    }) as typeof store.table.client.send;
    await reserve(1, 2000);
    const table = { ...store.table, client: { send } };
    expect(await reserveQueries(table, 8, { perSecond: 10, maxWait: 2000 })).toEqual({
      first: clock.now + 100,
      interval: 100,
    });
    expect(writes).toBe(1);
    expect((await reserve(1, 2000))?.first).toBe(clock.now + 900);
  });

  test('of concurrent callers never share a slot', async () => {
    const counts = [8, 1, 8, 3, 1, 8, 1, 5];
    const reserved = await Promise.all(counts.map((count) => reserve(count, 60_000)));
    const moments = reserved
      .flatMap((each, index) =>
        Array.from({ length: counts[index]! }, (_, query) => each!.first + query * each!.interval),
      )
      .sort(inOrder);
    expect(moments).toEqual(moments.map((_, index) => clock.now + index * 100));
  });

  test('delay a single query only by their own slots', async () => {
    await reserve(8, 5000);
    expect((await reserve(1, 5000))!.first - clock.now).toBe(800);
  });
});

test('a caller that would wait too long gets no slot and reserves nothing', async () => {
  const reserved = await reserveOften(60, 2000);
  // 0, 100, …, 2000 ms.
  expect(reserved.filter((each) => each !== undefined).length).toBe(21);
  expect(await reserve(8, 2000)).toBeUndefined();
  clock.now += 2100;
  expect((await reserve(1, 0))?.first).toBe(clock.now);
});

test('queries continue immediately after the clock was set back', async () => {
  await reserveOften(5, 2000);
  const before = clock.now;
  clock.now -= 3600_000;
  expect((await reserve(1, 2000))?.first).toBe(clock.now);
  expect((await reserve(1, 2000))?.first).toBe(clock.now + 100);
  clock.now = before;
});

test('the first slot after a pause is now', async () => {
  await reserveOften(5, 2000);
  clock.now += 60_000;
  expect((await reserve(1, 2000))?.first).toBe(clock.now);
});

describe('the rate limiter of requests', () => {
  const rate = { per_second: 10, burst: 20 };
  /** A container with its own memory, that counts its calls of DynamoDB and fails with `failure` if that is set. */
  function container(limit = rate) {
    const observed: { calls: number; failure?: Error; accepted: unknown[] } = { calls: 0, accepted: [] };
    const send = ((command: never) => {
      observed.calls += 1;
      return observed.failure ? Promise.reject(observed.failure) : store.table.client.send(command);
    }) as typeof store.table.client.send;
    const admit = createRequestLimiter({ ...store.table, client: { send } }, limit, (error) =>
      observed.accepted.push(error),
    );
    return { observed, admit };
  }
  const send = async ({ admit }: ReturnType<typeof container>, owner: string, times: number) => {
    const results = await Promise.all(Array.from({ length: times }, () => admit(owner)));
    return results.filter((seconds) => seconds === undefined).length;
  };
  const anOwner = () => `owner-${randomUUID()}`;

  test('accepts a burst, then the rate, over all containers together', async () => {
    const owner = anOwner();
    const containers = [container(), container(), container()];
    const round = async (times: number) => {
      const accepted = await Promise.all(containers.map((each) => send(each, owner, times)));
      return accepted.reduce((sum, each) => sum + each, 0);
    };
    expect(await round(15)).toBe(20);
    clock.now += 500;
    expect(await round(10)).toBe(5);
    clock.now += 60_000;
    expect(await round(10)).toBe(20);
  });

  test('returns the seconds until the next request is accepted', async () => {
    const owner = anOwner();
    const slow = container({ per_second: 0.25, burst: 1 });
    expect(await slow.admit(owner)).toBeUndefined();
    clock.now += 900;
    expect(await slow.admit(owner)).toBe(3.1);
    clock.now += 3000;
    expect(await slow.admit(owner)).toBe(0.1);
    clock.now += 100;
    expect(await slow.admit(owner)).toBeUndefined();
  });

  test('is independent of other owners', async () => {
    const [flooding, calm] = [anOwner(), anOwner()];
    const only = container();
    expect(await send(only, flooding, 200)).toBe(20);
    expect(await send(only, calm, 20)).toBe(20);
  });

  test('costs one write while an owner keeps the rate, also in a new container', async () => {
    const owner = anOwner();
    for (const each of [container(), container()]) {
      for (let requests = 0; requests < 5; requests++) {
        await each.admit(owner);
        clock.now += 200;
      }
      expect(each.observed.calls).toBe(5);
    }
  });

  test('refuses a flood without calls, and accepts exactly when a slot is free', async () => {
    const owner = anOwner();
    const only = container();
    await send(only, owner, 40);
    const before = only.observed.calls;
    for (let requests = 0; requests < 99; requests++) {
      clock.now += 1;
      expect(await only.admit(owner)).toBeGreaterThan(0);
    }
    expect(only.observed.calls).toBe(before);
    clock.now += 1;
    expect(await only.admit(owner)).toBeUndefined();
  });

  test('accepts at most the burst and the rate in any window, whatever arrives when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ per_second: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 10 }) }),
        fc.array(fc.tuple(fc.nat(400), fc.nat(2)), { minLength: 1, maxLength: 40 }),
        async (limit, arrivals) => {
          const owner = anOwner();
          const containers = [container(limit), container(limit), container(limit)];
          const accepted: number[] = [];
          for (const [pause, index] of arrivals) {
            clock.now += pause;
            if ((await containers[index]!.admit(owner)) === undefined) accepted.push(clock.now);
          }
          const interval = Math.ceil(1000 / limit.per_second);
          for (const [first, from] of accepted.entries()) {
            for (const [others, until] of accepted.slice(first).entries()) {
              expect(others + 1).toBeLessThanOrEqual(limit.burst + (until - from) / interval);
            }
          }
          // The limiter is not stricter than its rate: after a pause a whole burst is accepted.
          clock.now += (limit.burst + 1) * interval;
          expect(await send(containers[0]!, owner, limit.burst)).toBe(limit.burst);
        },
      ),
      { numRuns: 30 },
    );
  }, 60_000);

  test('continues after the clock was set back', async () => {
    const owner = anOwner();
    const only = container();
    await send(only, owner, 40);
    const before = clock.now;
    clock.now -= 3600_000;
    expect(await only.admit(owner)).toBeUndefined();
    clock.now = before;
  });

  test('accepts requests when DynamoDB fails, and reports it', async () => {
    const owner = anOwner();
    const only = container();
    only.observed.failure = Object.assign(new Error('no'), { name: 'InternalServerError' });
    expect(await send(only, owner, 50)).toBe(50);
    expect(only.observed.accepted).toHaveLength(50);
    delete only.observed.failure;
    expect(await send(only, owner, 50)).toBe(20);
  });

  test.each(['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded'])(
    'refuses an owner for a second when DynamoDB throttles its item: %s',
    async (name) => {
      const owner = anOwner();
      const only = container();
      only.observed.failure = Object.assign(new Error('no'), { name });
      expect(await only.admit(owner)).toBe(1);
      delete only.observed.failure;
      expect(await only.admit(owner)).toBeGreaterThan(0);
      expect(only.observed.calls).toBe(1);
      expect(await only.admit(anOwner())).toBeUndefined();
      clock.now += 1000;
      expect(await only.admit(owner)).toBeUndefined();
    },
  );
});
