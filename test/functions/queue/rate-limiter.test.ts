import { beforeEach, describe, expect, test } from 'vitest';
import { reserveQueries } from '../../../functions/queue/rate-limiter.ts';
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
