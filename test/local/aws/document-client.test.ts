import { ConditionalCheckFailedException, DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Table } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';

const TableName = 'videos';
let store: Awaited<ReturnType<typeof startTable>>;
beforeAll(async () => {
  store = await startTable();
});
afterAll(() => store.close());

const clients: Record<string, () => Table['client']> = {
  'in process': () => store.table.client,
  'of the SDK over HTTP': () =>
    DynamoDBDocumentClient.from(store.client, { marshallOptions: { removeUndefinedValues: true } }),
};

/** Returns an output without `$metadata`, which differs between the clients. */
const outputOf = async (call: Promise<object>) => {
  const { $metadata, ...output } = (await call) as { $metadata: unknown };
  return output;
};

describe.each(Object.keys(clients))('a document client %s', (name) => {
  const send = (command: unknown) =>
    outputOf((clients[name]!().send as (command: unknown) => Promise<object>)(command));
  const item = {
    pk: `item of ${name}`,
    open_status: name,
    open_order: '1',
    count: 3,
    set: new Set(['a', 'b']),
    list: [1, { deep: true }],
    nothing: undefined,
  };
  const { nothing, ...storedItem } = item;

  test('puts, gets, updates, queries, scans and deletes', async () => {
    expect(await send(new PutCommand({ TableName, Item: item }))).toEqual({});
    expect(await send(new GetCommand({ TableName, Key: { pk: item.pk } }))).toEqual({ Item: storedItem });
    expect(await send(new GetCommand({ TableName, Key: { pk: 'unknown' } }))).toEqual({});
    const add = new UpdateCommand({
      TableName,
      Key: { pk: item.pk },
      UpdateExpression: 'ADD #count :one SET note = :note',
      ExpressionAttributeNames: { '#count': 'count' },
      ExpressionAttributeValues: { ':one': 1, ':note': null },
      ReturnValues: 'UPDATED_NEW',
    });
    expect(await send(add)).toEqual({ Attributes: { count: 4, note: null } });
    const query = new QueryCommand({
      TableName,
      IndexName: 'by_status',
      KeyConditionExpression: 'open_status = :status',
      ExpressionAttributeValues: { ':status': name },
      Limit: 1,
    });
    const key = { pk: item.pk, open_status: name, open_order: '1' };
    expect(await send(query)).toEqual({ Count: 1, ScannedCount: 1, Items: [key], LastEvaluatedKey: key });
    const remove = new DeleteCommand({ TableName, Key: { pk: item.pk }, ReturnValues: 'ALL_OLD' });
    expect(await send(remove)).toEqual({ Attributes: { ...storedItem, count: 4, note: null } });
    expect(await send(new ScanCommand({ TableName }))).toEqual({ Count: 0, ScannedCount: 0, Items: [] });
  });

  test('throws the SDK’s exceptions', async () => {
    const never = new PutCommand({ TableName, Item: { pk: 'x' }, ConditionExpression: 'attribute_exists(pk)' });
    await expect(send(never)).rejects.toBeInstanceOf(ConditionalCheckFailedException);
    const malformed = await send(new UpdateCommand({ TableName, Key: { pk: 'x' }, UpdateExpression: 'SET' })).catch(
      (error: unknown) => error,
    );
    expect(malformed).toBeInstanceOf(DynamoDBServiceException);
    expect(malformed).toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('UpdateExpression'),
    });
    await expect(send(new GetCommand({ TableName: 'no-such', Key: { pk: 'x' } }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});
