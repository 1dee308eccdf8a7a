import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { reserveQuestion } from '../../../functions/queue/rate-limiter.ts';
import { startTable } from '../../support/table.ts';

const clock = { now: 10_000 };
let store: Awaited<ReturnType<typeof startTable>>;
beforeAll(async () => {
  store = await startTable(() => clock.now);
});
afterAll(() => store.close());
beforeEach(() => {
  clock.now += 60_000;
});

const ask = (times: number, patience: number) =>
  Promise.all(Array.from({ length: times }, () => reserveQuestion(store.table, patience)));

test('of many questions at once no more than 15 fall into any second, and none comes before now', async () => {
  const turns = (await ask(60, 60_000)).map((turn) => turn! - clock.now).sort((a, b) => a - b);
  expect(turns[0]).toBe(0);
  for (const [index, turn] of turns.entries()) {
    expect(turns.filter((other) => other >= turn && other < turn + 1000).length).toBeLessThanOrEqual(15);
    if (index > 0) expect(turn - turns[index - 1]!).toBe(72);
  }
});

test('whoever would wait too long is told so and reserves nothing', async () => {
  const turns = await ask(60, 2000);
  const given = turns.filter((turn) => turn !== undefined);
  // 0, 72, …, 2016 ms: a turn that is at most 2 s away when it is asked for.
  expect(given.length).toBeGreaterThanOrEqual(28);
  expect(given.length).toBeLessThanOrEqual(29);
  clock.now += 2100;
  expect(await reserveQuestion(store.table, 0)).toBe(clock.now);
});

test('a clock that was set back does not keep everybody from asking until it has caught up', async () => {
  await ask(5, 2000);
  const before = clock.now;
  clock.now -= 3600_000;
  expect(await reserveQuestion(store.table, 2000)).toBe(clock.now);
  expect(await reserveQuestion(store.table, 2000)).toBe(clock.now + 72);
  clock.now = before;
});

test('after a pause the first turn is free at once', async () => {
  await ask(5, 2000);
  clock.now += 60_000;
  expect(await reserveQuestion(store.table, 2000)).toBe(clock.now);
});
