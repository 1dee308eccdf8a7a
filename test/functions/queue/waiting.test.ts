import { describe, expect, test } from 'vitest';
import { firstOfEachOwner, readQueue, roundRobinOrder } from '../../../functions/queue/waiting.ts';
import { openAttributes } from '../../../functions/video/keys.ts';
import type { Table } from '../../../functions/video/table.ts';
import { aVideo } from '../../support/videos.ts';

interface Query {
  Limit?: number;
  ExpressionAttributeValues: { ':from'?: string; ':to'?: string };
  ExclusiveStartKey?: { open_order: string };
}

/** An index of any size, paged as DynamoDB does. */
function anIndex(owners: Record<string, number>, { pageOf = 6000 } = {}) {
  const positions = Object.entries(owners)
    .flatMap(([owner, count]) =>
      Array.from({ length: count }, (_, index) => {
        const created_at = new Date(Date.parse('2026-01-01T00:00:00Z') + index).toISOString();
        return openAttributes({ ...aVideo(), owner, id: `${owner}-${index}`, created_at }).open_order!;
      }),
    )
    .sort();
  let queries = 0;
  const send = async ({ input }: { input: Query }) => {
    queries++;
    const { ':from': from = '', ':to': to = '~' } = input.ExpressionAttributeValues;
    const after = input.ExclusiveStartKey?.open_order ?? '';
    const found = positions.filter((position) => position >= from && position <= to && position > after);
    const page = found.slice(0, Math.min(input.Limit ?? pageOf, pageOf));
    return {
      Items: page.map((open_order) => ({ open_order })),
      ...(page.length < found.length ? { LastEvaluatedKey: { open_order: page.at(-1) } } : {}),
    };
  };
  const table: Table = { client: { send } as never, tableName: 'videos', now: () => 0 };
  return {
    table,
    get queries() {
      return queries;
    },
  };
}
const named = (count: number, videos: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`owner-${1000 + index}`, videos]));
const noneStarted = { started: new Set<string>() };

describe('the first of each owner', () => {
  test('is found in one query when many owners have few videos', async () => {
    const index = anIndex(named(40, 2));
    const waiting = await firstOfEachOwner(index.table, 'wan', noneStarted);
    expect(waiting).toHaveLength(40);
    expect(waiting.every(({ owner, id }) => id === `${owner}-0`)).toBe(true);
    expect(index.queries).toBeLessThanOrEqual(2);
  });

  test('is found in one query per owner, regardless of how many videos each has', async () => {
    const index = anIndex({ ...named(3, 5000), zoe: 1 });
    const waiting = await firstOfEachOwner(index.table, 'wan', noneStarted);
    expect(waiting.map(({ owner }) => owner)).toEqual(['owner-1000', 'owner-1001', 'owner-1002', 'zoe']);
    expect(index.queries).toBeLessThanOrEqual(6);
  });

  test('is the next one after started videos, at any position of a page', async () => {
    for (const before of [0, 1, 60, 99, 100, 101, 140]) {
      const index = anIndex({ alice: before, bob: 90 });
      const started = new Set(Array.from({ length: 80 }, (_, each) => `bob-${each}`));
      const waiting = await firstOfEachOwner(index.table, 'wan', { started });
      expect(waiting.at(-1)).toEqual({ owner: 'bob', id: 'bob-80' });
    }
  });

  test('takes at most 25 queries in a queue of many owners', async () => {
    const index = anIndex(named(500, 150));
    expect((await firstOfEachOwner(index.table, 'wan', noneStarted)).length).toBeGreaterThanOrEqual(25);
    expect(index.queries).toBeLessThanOrEqual(25);
  });

  test('reaches every owner before any is served twice, even when more wait than one call considers', async () => {
    const index = anIndex(named(60, 150));
    const served = new Map<string, number>();
    let after: string | undefined;
    for (let turn = 1; turn <= 60; turn++) {
      const waiting = await firstOfEachOwner(index.table, 'wan', { ...noneStarted, after });
      expect(waiting.length).toBeLessThan(60);
      after = roundRobinOrder(waiting, { served })[0]!.owner;
      served.set(after, turn);
    }
    expect(served.size).toBe(60);
  });
});

describe('a whole queue', () => {
  test('is read across index pages, and marked when it is incomplete', async () => {
    const long = await readQueue(anIndex({ alice: 9, bob: 2 }, { pageOf: 3 }).table, 'wan', new Set(['alice-0']));
    expect([...long.owners].map(([owner, positions]) => [owner, positions.length])).toEqual([
      ['alice', 8],
      ['bob', 2],
    ]);
    expect(long.isWhole).toBe(true);
    expect((await readQueue(anIndex({ alice: 13 }, { pageOf: 3 }).table, 'wan', new Set())).isWhole).toBe(false);
  });
});
