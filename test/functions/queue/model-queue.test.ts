import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import {
  claimPermit,
  limitsOf,
  pauseQueue,
  pruneServed,
  readModelQueue,
  releasePermit,
} from '../../../functions/queue/model-queue.ts';
import { keys } from '../../../functions/video/keys.ts';
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

test('prunes the times of owners served more than an hour ago, and all but the latest 200', async () => {
  const queue = { served: new Map(Array.from({ length: 500 }, (_, index) => [`owner-${index}`, index])) };
  const served = Object.fromEntries(queue.served);
  await store.table.client.send(
    new PutCommand({ TableName: store.table.tableName, Item: { pk: keys.modelQueue('pruned'), served } }),
  );
  const prune = async (now: number) => {
    await pruneServed({ ...store.table, now: () => now }, 'pruned', await readModelQueue(store.table, 'pruned'));
    return [...(await readModelQueue(store.table, 'pruned')).served.values()].sort((a, b) => a - b);
  };
  expect(await prune(1000)).toEqual(Array.from({ length: 200 }, (_, index) => 300 + index));
  expect(await prune(3600_000 + 490)).toEqual(Array.from({ length: 10 }, (_, index) => 490 + index));
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
