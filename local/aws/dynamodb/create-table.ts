import { setTimeout as sleep } from 'node:timers/promises';
import type { Resource } from '../template/load.ts';
import type { DynamoDb } from './dynamodb.ts';

interface Description {
  Table: {
    TableStatus: string;
    KeySchema: unknown;
    GlobalSecondaryIndexes?: { IndexName: string; KeySchema: unknown; Projection: unknown; IndexStatus: string }[];
  };
}

/**
 * Makes a table exist as the template declares it. The inert properties are left out, a rate of reads and writes too.
 * @throws Error when it exists with other keys or indexes
 */
export async function createTable(table: TableDefinition, { handle }: Pick<DynamoDb, 'handle'>): Promise<void> {
  const indexes = table.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema, Projection }) => ({
    IndexName,
    KeySchema,
    Projection,
  }));
  const { KeySchema, AttributeDefinitions } = table;
  const name = JSON.stringify({ TableName: table.name });
  const existing = await handle('DescribeTable', name);
  if (existing.status === 200) {
    const { Table: found } = JSON.parse(existing.body) as Description;
    if (shapeOf(found) === shapeOf({ KeySchema, GlobalSecondaryIndexes: indexes })) return;
    throw new Error(
      `The table ${table.name} on this machine has other keys or indexes than the template. Move the state directory away and start again.`,
    );
  }
  const created = await handle(
    'CreateTable',
    JSON.stringify({
      TableName: table.name,
      AttributeDefinitions,
      KeySchema,
      BillingMode: 'PAY_PER_REQUEST',
      ...(indexes ? { GlobalSecondaryIndexes: indexes } : {}),
    }),
  );
  if (created.status !== 200) throw new Error(`The table ${table.name} can't be created: ${created.body}`);
  for (;;) {
    const { Table: found } = JSON.parse((await handle('DescribeTable', name)).body) as Description;
    const states = [found.TableStatus, ...(found.GlobalSecondaryIndexes ?? []).map(({ IndexStatus }) => IndexStatus)];
    if (states.every((state) => state === 'ACTIVE')) return;
    await sleep(2);
  }
}

function shapeOf({
  KeySchema,
  GlobalSecondaryIndexes = [],
}: Pick<Description['Table'], 'KeySchema'> & {
  GlobalSecondaryIndexes?: readonly { IndexName: string; KeySchema: unknown; Projection: unknown }[];
}): string {
  const indexes = GlobalSecondaryIndexes.map(({ IndexName, KeySchema, Projection }) =>
    JSON.stringify([IndexName, KeySchema, Projection]),
  );
  return JSON.stringify([KeySchema, indexes.sort()]);
}

export type TableDefinition = Resource<'AWS::DynamoDB::Table'>['properties'] & { name: string };
