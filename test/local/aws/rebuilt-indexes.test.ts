import { rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { create, updateIndexes } from 'dynalite/db/index.js';
import { expect, test } from 'vitest';
import { type DynamoDb, openDynamoDb } from '../../../local/aws/dynamodb/dynamodb.ts';
import { temporaryDirectory } from './support.ts';

const table = {
  name: 'test',
  KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' as const }],
  AttributeDefinitions: ['pk', 'status'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
  GlobalSecondaryIndexes: [
    {
      IndexName: 'by_status',
      KeySchema: [{ AttributeName: 'status', KeyType: 'HASH' as const }],
      Projection: { ProjectionType: 'KEYS_ONLY' as const },
    },
  ],
};
const item = (pk: string, status: string) => ({ pk: { S: pk }, status: { S: status } });

async function inStatus({ handle }: DynamoDb, status: string): Promise<string[]> {
  const query = {
    TableName: 'test',
    IndexName: 'by_status',
    KeyConditionExpression: '#status = :status',
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: { ':status': { S: status } },
  };
  const { Items } = JSON.parse((await handle('Query', JSON.stringify(query))).body) as {
    Items: { pk: { S: string } }[];
  };
  return Items.map(({ pk }) => pk.S).sort();
}

test('an item is listed correctly after a kill between writing its index entries and the item', async () => {
  const directory = path.join(temporaryDirectory(), 'dynamodb');
  const first = await openDynamoDb({ directory, tables: [table] });
  for (const pk of ['one', 'two'])
    await first.handle('PutItem', JSON.stringify({ TableName: 'test', Item: item(pk, 'running') }));
  await first.close();
  const store = create({ path: directory });
  await promisify(updateIndexes)(
    store,
    { TableName: 'test', ...table },
    item('one', 'running'),
    item('one', 'archiving'),
  );
  await store.db.close();

  const second = await openDynamoDb({ directory, tables: [table] });
  expect(await inStatus(second, 'running')).toEqual(['two']);
  await second.close();
  rmSync(`${directory}.closed`);
  const third = await openDynamoDb({ directory, tables: [table] });
  expect(await inStatus(third, 'running')).toEqual(['one', 'two']);
  expect(await inStatus(third, 'archiving')).toEqual([]);
  await third.close();
});
