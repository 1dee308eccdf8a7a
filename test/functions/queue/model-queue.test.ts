import { expect, test } from 'vitest';
import {
  claimPermit,
  limitsOf,
  pauseQueue,
  pruneServed,
  readModelQueue,
  releasePermit,
} from '../../../functions/queue/model-queue.ts';
import { startTable } from '../../support/table.ts';

const store = startTable();

const limitsFor = (model: string, permits = 4) => ({ model, permits, submit_interval_ms: 500 });

test('a hundred concurrent claims get exactly the available permits', async () => {
  const claims = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      claimPermit(store.table, limitsFor('crowded'), { id: `video-${index}`, owner: `owner-${index % 7}` }),
    ),
  );
  expect(claims.filter(Boolean)).toHaveLength(4);
  expect((await readModelQueue(store.table, 'crowded')).running.size).toBe(4);
});

test('claims and releases are idempotent', async () => {
  const video = { id: 'one', owner: 'alice' };
  for (let round = 0; round < 2; round++)
    expect(await claimPermit(store.table, limitsFor('twice', 1), video)).toBe(true);
  expect(await claimPermit(store.table, limitsFor('twice', 1), { id: 'two', owner: 'bob' })).toBe(false);
  for (let round = 0; round < 2; round++) await releasePermit(store.table, 'twice', 'one');
  expect((await readModelQueue(store.table, 'twice')).running.size).toBe(0);
  expect(await claimPermit(store.table, limitsFor('twice', 1), { id: 'two', owner: 'bob' })).toBe(true);
});

test('a claim records when its owner was served, for any owner name', async () => {
  const table = { ...store.table, now: () => 1234 };
  await claimPermit(table, limitsFor('owners'), { id: 'one', owner: 'team.a@example-org_1' });
  expect((await readModelQueue(table, 'owners')).served).toEqual(new Map([['team.a@example-org_1', 1234]]));
});

test('prunes only owners served before the given time, a hundred at a time', async () => {
  const at = (now: number) => ({ ...store.table, now: () => now });
  const crowded = limitsFor('pruned', 1000);
  for (let index = 0; index < 120; index++) {
    await claimPermit(at(index), crowded, { id: `video-${index}`, owner: `owner-${index}` });
  }
  const served = async () => (await readModelQueue(store.table, 'pruned')).served.size;
  const prune = async () => pruneServed(store.table, 'pruned', await readModelQueue(store.table, 'pruned'), 110);
  await prune();
  expect(await served()).toBe(20);
  await prune();
  await prune();
  expect([...(await readModelQueue(store.table, 'pruned')).served.keys()].sort()).toEqual(
    Array.from({ length: 10 }, (_, index) => `owner-${110 + index}`),
  );
});

test('a paused queue has a reason and an end', async () => {
  await pauseQueue(store.table, 'account_refused', 'arrears', '2026-01-01T00:01:00.000Z');
  expect(await readModelQueue(store.table, 'account_refused')).toMatchObject({
    paused_until: '2026-01-01T00:01:00.000Z',
    pause_reason: 'arrears',
  });
});

test("takes limits from the catalogue, overridden field by field by the deployment's settings", () => {
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
