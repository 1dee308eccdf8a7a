import { expect, test } from 'vitest';
import { readSlowdown, reserveSubmitSlot, slowDown } from '../../../functions/queue/submit-rate.ts';
import { createLimits } from '../../../local/wan/limits.ts';
import { startTable } from '../../support/table.ts';

const store = startTable();

const limitsFor = (model: string, submit_interval_ms = 500) => ({ model, permits: 4, submit_interval_ms });

test('spaces concurrent slots by one interval, and returns now after a pause', async () => {
  let now = 10_000;
  const table = { ...store.table, now: () => now };
  const slots = await Promise.all(Array.from({ length: 20 }, () => reserveSubmitSlot(table, limitsFor('slots'))));
  expect(slots.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => 10_000 + index * 500));
  now = 60_000;
  expect(await reserveSubmitSlot(table, limitsFor('slots'))).toBe(60_000);
});

test('submits immediately after the clock was set back', async () => {
  let now = 3600_000;
  const table = { ...store.table, now: () => now };
  await reserveSubmitSlot(table, limitsFor('set-back'));
  now = 10_000;
  expect(await reserveSubmitSlot(table, limitsFor('set-back'))).toBe(10_000);
  expect(await reserveSubmitSlot(table, limitsFor('set-back'))).toBe(10_500);
});

test('a 429 slows submissions down, and the slowdown halves every ten minutes', async () => {
  let now = 1_000_000;
  const table = { ...store.table, now: () => now };
  expect(await slowDown(table, 'slowed')).toBe(1.5);
  now += 60_000;
  const first = await reserveSubmitSlot(table, limitsFor('slowed', 1000));
  const second = await reserveSubmitSlot(table, limitsFor('slowed', 1000));
  expect(second - first).toBe(Math.ceil(1000 * (1 + 0.5 * 0.5 ** 0.1)));
  now = 1_000_000 + 10 * 60_000;
  expect(await readSlowdown(table, 'slowed')).toBeCloseTo(1.25);
  now = 1_000_000 + 3600_000;
  expect(await readSlowdown(table, 'slowed')).toBe(1);
});

test('concurrent 429s count as one, and the slowdown has an upper limit', async () => {
  let now = 1_000_000;
  const table = { ...store.table, now: () => now };
  const steps = await Promise.all(Array.from({ length: 20 }, () => slowDown(table, 'burst')));
  expect(steps.filter((step) => step !== undefined)).toEqual([1.5]);
  for (let refusal = 0; refusal < 50; refusal++) {
    now += 5000;
    await slowDown(table, 'burst');
  }
  expect(await readSlowdown(table, 'burst')).toBe(32);
});

test('a step after the clock was set back counts', async () => {
  let now = 10_000_000;
  const table = { ...store.table, now: () => now };
  await slowDown(table, 'set-back-slowdown');
  now = 1_000_000;
  expect(await slowDown(table, 'set-back-slowdown')).toBe(2.25);
});

test('after Wan halves its limit, less than 5 % of the submissions are refused from the second minute on', async () => {
  let now = 0;
  const table = { ...store.table, now: () => now };
  const wan = createLimits({ enabled: true, now: () => now });
  const limits = limitsFor('halved', 200);
  const submissions: { at: number; refused: boolean }[] = [];
  while (now < 40 * 60_000) {
    now = Math.max(now, await reserveSubmitSlot(table, limits));
    const perSecond = now < 60_000 ? 5 : 2.5;
    const refused = !wan.tryAcquire('submit', perSecond);
    submissions.push({ at: now, refused });
    if (refused) await slowDown(table, limits.model);
    now += 1;
  }
  const share = (from: number, to: number) => {
    const within = submissions.filter(({ at }) => at >= from * 60_000 && at < to * 60_000);
    return { count: within.length, refused: within.filter(({ refused }) => refused).length / within.length };
  };
  expect(share(0, 1)).toEqual({ count: 300, refused: 0 });
  for (let minute = 2; minute < 40; minute++) expect(share(minute, minute + 1).refused).toBeLessThan(0.05);
  expect(share(2, 40).refused).toBeLessThan(0.005);
  // At most 40 % below what Wan allows, on average.
  expect(share(2, 40).count).toBeGreaterThan(0.6 * 38 * 60 * 2.5);
});
