import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { create, type StoredTable, updateIndexes } from 'dynalite/db/index.js';

/**
 * Rebuilds all index entries from the items. dynalite writes an item and its index entries one after the other, so a
 * kill in between leaves an item without an index entry or an entry of an old item.
 * @param directory of the database; if it does not exist, nothing happens
 */
export async function rebuildIndexes(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  const store = create({ path: directory });
  try {
    for await (const table of store.tableDb.createValueStream({}) as AsyncIterable<StoredTable>) {
      const { TableName, GlobalSecondaryIndexes = [] } = table;
      for (const { IndexName } of GlobalSecondaryIndexes)
        await promisify(store.deleteIndexDb)('Global', TableName, IndexName);
      const write = promisify(updateIndexes);
      for await (const item of store.getItemDb(TableName).createValueStream({}) as AsyncIterable<object>)
        await write(store, table, undefined, item);
    }
  } finally {
    await store.db.close();
  }
}
