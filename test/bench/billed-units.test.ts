import { expect, test } from 'vitest';
import { type Count, countingDynamoDb } from '../../bench/simulation/billed-units.ts';
import { createTableInProcess, inProcessDynamoDb } from '../../local/aws/dynamodb/in-process.ts';

const TableName = 'videos';
const key = (name: string) => [{ AttributeName: name, KeyType: 'HASH' as const }];
const indexes: Parameters<typeof countingDynamoDb>[1] = [
  { IndexName: 'all', KeySchema: key('owner'), Projection: { ProjectionType: 'ALL' } },
  { IndexName: 'keys', KeySchema: key('status'), Projection: { ProjectionType: 'KEYS_ONLY' } },
];
const text = (length: number) => ({ S: 'x'.repeat(length) });

test('counts writes by the larger size with each index whose entry changes, and reads by consistency', async () => {
  const store = inProcessDynamoDb();
  await createTableInProcess(store, {
    TableName,
    AttributeDefinitions: ['pk', 'owner', 'status'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: key('pk'),
    GlobalSecondaryIndexes: indexes,
  });
  let counted: [string, number][] = [];
  const count: Count = (...unit) => void counted.push(unit);
  const dynamoDb = countingDynamoDb(store, indexes, count);
  const countOf = async (call: Promise<unknown>) => {
    counted = [];
    await call.catch(() => undefined);
    return counted;
  };
  const put = (Item: object, more = {}) => dynamoDb('PutItem', { TableName, Item: { pk: text(1), ...Item }, ...more });
  const [owner, status, large] = [text(3), text(4), text(4500)];

  expect(await countOf(put({ note: text(1500) }))).toEqual([['writeUnit', 2]]);
  expect(await countOf(put({ large, owner, status }))).toEqual([['writeUnit', 5 + 5 + 1]]);
  // Another index key moves an entry, so the old one is deleted.
  expect(await countOf(put({ large, owner, status: text(5) }))).toEqual([['writeUnit', 5 + 5 + 2]]);
  expect(await countOf(put({}, { ConditionExpression: 'attribute_not_exists(pk)' }))).toEqual([['writeUnit', 5]]);
  const get = { TableName, Key: { pk: text(1) } };
  expect(await countOf(dynamoDb('GetItem', { ...get, ConsistentRead: true }))).toEqual([['readUnit', 2]]);
  expect(await countOf(dynamoDb('GetItem', get))).toEqual([['readUnit', 1]]);
});
