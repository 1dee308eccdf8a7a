import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { keys } from './keys.ts';
import type { Table } from './store.ts';

/** Whatever stands under a video's id (strongly consistent): its record, its tombstone, or nothing. */
export async function readItem(table: Table, id: string): Promise<Record<string, unknown> | undefined> {
  const { Item } = await table.client.send(
    new GetCommand({ TableName: table.tableName, Key: { pk: keys.video(id) }, ConsistentRead: true }),
  );
  return Item;
}
