import { afterAll, expect, test } from 'vitest';
import { currentChanges, readRowChanges, writeRowChange } from '../../../functions/video/catalogue-changes.ts';
import type { Table } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';

const store = startTable();
afterAll(() => store.close());
const file = { 'wan2.7-i2v': { offered: false } };

/** A table as another container sees it, with a clock that can be turned. */
function container() {
  const clock = { now: 1_000_000, fails: false };
  const client = {
    send: (command: Parameters<Table['client']['send']>[0]) =>
      clock.fails ? Promise.reject(new Error('unavailable')) : store.table.client.send(command),
  } as Table['client'];
  return { clock, table: { ...store.table, client, now: () => clock.now } };
}

test('functions see a change within 60 seconds, on top of the file', async () => {
  const { clock, table } = container();
  expect(await currentChanges(table, file)).toEqual(file);
  await writeRowChange(store.table, 'wan2.7-i2v', { limits: { concurrent_tasks: 1 } });
  expect(await currentChanges(table, file)).toEqual(file);
  clock.now += 60_000;
  const changed = { 'wan2.7-i2v': { offered: false, limits: { concurrent_tasks: 1 } } };
  expect(await currentChanges(table, file)).toEqual(changed);
  expect(await readRowChanges(store.table)).toEqual({ 'wan2.7-i2v': { limits: { concurrent_tasks: 1 } } });
  await writeRowChange(store.table, 'wan2.6-i2v', { offered: false });
  expect(await currentChanges(container().table, {})).toEqual({
    'wan2.7-i2v': { limits: { concurrent_tasks: 1 } },
    'wan2.6-i2v': { offered: false },
  });
});

test('the last known changes apply while the table cannot be read; without any, the error is reported', async () => {
  const { clock, table } = container();
  clock.fails = true;
  await expect(currentChanges(table, file)).rejects.toThrow('unavailable');
  clock.fails = false;
  const known = await currentChanges(table, file);
  clock.now += 3_600_000;
  clock.fails = true;
  expect(await currentChanges(table, file)).toEqual(known);
});
