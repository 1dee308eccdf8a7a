import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GoingOn, leaseLook, readLook, writeLook } from '../../../functions/polling/task-snapshot.ts';
import { startTable } from '../../support/table.ts';

const clock = { now: 1_000_000 };
let store: Awaited<ReturnType<typeof startTable>>;
beforeAll(async () => {
  store = await startTable(() => clock.now);
});
afterAll(() => store.close());

const tasks = (count: number, status: GoingOn) =>
  Array.from({ length: count }, () => [randomUUID(), status] as [string, GoingOn]);

test('a look tells of three thousand tasks how each stood, in an item of a few kilobytes', async () => {
  const seen = new Map([...tasks(1000, 'PENDING'), ...tasks(2000, 'RUNNING')]);
  const written = await writeLook(store.table, 'many', clock.now, seen);
  const read = (await readLook(store.table, 'many'))!;
  for (const look of [written, read]) {
    expect(look).toMatchObject({ made_at: clock.now, size: 3000 });
    for (const [id, status] of seen) expect(look.statusOf(id)).toBe(status);
    expect(look.statusOf(randomUUID())).toBeUndefined();
  }
});

test('a look at nothing is a look', async () => {
  await writeLook(store.table, 'idle', clock.now, new Map());
  expect(await readLook(store.table, 'idle')).toMatchObject({ made_at: clock.now, size: 0 });
  expect(await readLook(store.table, 'never')).toBeUndefined();
});

test('of many who find a look too old one looks, and when it dies another does', async () => {
  const race = async () => {
    const last = await readLook(store.table, 'lease');
    const leases = await Promise.all(Array.from({ length: 20 }, () => leaseLook(store.table, 'lease', last)));
    return leases.filter(Boolean).length;
  };
  expect(await race()).toBe(1);
  expect(await race()).toBe(0);
  clock.now += 10_000;
  expect(await race()).toBe(1);
  await writeLook(store.table, 'lease', clock.now, new Map());
  clock.now += 1;
  expect(await race()).toBe(1);
});

test('who decided by an older look does not repeat one that was made since', async () => {
  const last = await readLook(store.table, 'since');
  await writeLook(store.table, 'since', clock.now, new Map());
  expect(await leaseLook(store.table, 'since', last)).toBe(false);
});

test('a look that took too long does not replace a later one', async () => {
  const [[task] = ['']] = tasks(1, 'RUNNING');
  await writeLook(store.table, 'slow', clock.now, new Map([[task, 'RUNNING']]));
  await writeLook(store.table, 'slow', clock.now - 5000, new Map());
  expect((await readLook(store.table, 'slow'))?.statusOf(task)).toBe('RUNNING');
});
