import { expect, test } from 'vitest';
import {
  claimPermit,
  limitsOf,
  pauseQueue,
  pruneServed,
  readModelQueue,
  releasePermit,
  reserveSubmitSlot,
} from '../../../functions/queue/model-queue.ts';
import { startTable } from '../../support/table.ts';

const store = startTable();

const lane = (model: string, permits = 4) => ({ model, permits, submit_interval_ms: 500 });

test('a hundred claims at once get exactly as many permits as there are', async () => {
  const claims = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      claimPermit(store.table, lane('crowded'), { id: `video-${index}`, owner: `owner-${index % 7}` }),
    ),
  );
  expect(claims.filter(Boolean)).toHaveLength(4);
  expect((await readModelQueue(store.table, 'crowded')).running.size).toBe(4);
});

test('claiming and releasing twice is claiming and releasing once', async () => {
  const video = { id: 'one', owner: 'alice' };
  for (let round = 0; round < 2; round++) expect(await claimPermit(store.table, lane('twice', 1), video)).toBe(true);
  expect(await claimPermit(store.table, lane('twice', 1), { id: 'two', owner: 'bob' })).toBe(false);
  for (let round = 0; round < 2; round++) await releasePermit(store.table, 'twice', 'one');
  expect((await readModelQueue(store.table, 'twice')).running.size).toBe(0);
  expect(await claimPermit(store.table, lane('twice', 1), { id: 'two', owner: 'bob' })).toBe(true);
});

test('a claim says when its owner was served, for whatever an owner may be called', async () => {
  const table = { ...store.table, now: () => 1234 };
  await claimPermit(table, lane('owners'), { id: 'one', owner: 'team.a@example-org_1' });
  expect((await readModelQueue(table, 'owners')).served).toEqual(new Map([['team.a@example-org_1', 1234]]));
});

test('who was served longest ago is forgotten, a hundred at a time, and nobody else', async () => {
  const at = (now: number) => ({ ...store.table, now: () => now });
  const crowded = lane('forgotten', 1000);
  for (let index = 0; index < 120; index++) {
    await claimPermit(at(index), crowded, { id: `video-${index}`, owner: `owner-${index}` });
  }
  const served = async () => (await readModelQueue(store.table, 'forgotten')).served.size;
  const forget = async () => pruneServed(store.table, 'forgotten', await readModelQueue(store.table, 'forgotten'), 110);
  await forget();
  expect(await served()).toBe(20);
  await forget();
  await forget();
  expect([...(await readModelQueue(store.table, 'forgotten')).served.keys()].sort()).toEqual(
    Array.from({ length: 10 }, (_, index) => `owner-${110 + index}`),
  );
});

test('slots asked for at once lie one interval apart, and after a pause the first is free at once', async () => {
  let now = 10_000;
  const table = { ...store.table, now: () => now };
  const slots = await Promise.all(Array.from({ length: 20 }, () => reserveSubmitSlot(table, lane('slots'))));
  expect(slots.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => 10_000 + index * 500));
  now = 60_000;
  expect(await reserveSubmitSlot(table, lane('slots'))).toBe(60_000);
});

test('a clock that was set back does not keep a lane from submitting until it has caught up', async () => {
  let now = 3600_000;
  const table = { ...store.table, now: () => now };
  await reserveSubmitSlot(table, lane('set-back'));
  now = 10_000;
  expect(await reserveSubmitSlot(table, lane('set-back'))).toBe(10_000);
  expect(await reserveSubmitSlot(table, lane('set-back'))).toBe(10_500);
});

test('a held lane says why and until when', async () => {
  await pauseQueue(store.table, 'account_refused', 'arrears', '2026-01-01T00:01:00.000Z');
  expect(await readModelQueue(store.table, 'account_refused')).toMatchObject({
    paused_until: '2026-01-01T00:01:00.000Z',
    pause_reason: 'arrears',
  });
});

test("a lane's limits are the catalogue's, changed field by field by the deployment", () => {
  const model = { name: 'wan', rate_limits: { submits_per_second: 5, concurrent_tasks: 5 } };
  const limits = (models: Parameters<typeof limitsOf>[1]['models']) => limitsOf(model, { extra_permits: 2, models });
  expect(limits({})).toEqual({ model: 'wan', permits: 7, concurrent_tasks: 5, submit_interval_ms: 200 });
  expect(limits({ wan: { concurrent_tasks: 20 } })).toEqual({
    model: 'wan',
    permits: 22,
    concurrent_tasks: 20,
    submit_interval_ms: 200,
  });
  expect(limits({ wan: { submits_per_second: 3 } })).toEqual({
    model: 'wan',
    permits: 7,
    concurrent_tasks: 5,
    submit_interval_ms: 334,
  });
});
