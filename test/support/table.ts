import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { indexes, partitionKey } from '../../functions/shared/table-schema.ts';
import { tableOf } from '../../functions/video/table.ts';

const tableName = 'videos';

/** A table like the deployed one, in memory: a real dialect of DynamoDB, so that conditional writes are really conditional. */
export async function startTable(now: () => number = Date.now) {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const string = (name: string) => ({ AttributeName: name, AttributeType: 'S' as const });
  const index = (
    { name, partition, sort }: (typeof indexes)[keyof typeof indexes],
    projection: 'ALL' | 'KEYS_ONLY',
  ) => ({
    IndexName: name,
    KeySchema: [
      { AttributeName: partition, KeyType: 'HASH' as const },
      { AttributeName: sort, KeyType: 'RANGE' as const },
    ],
    Projection: { ProjectionType: projection },
  });
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        partitionKey,
        ...Object.values(indexes).flatMap(({ partition, sort }) => [partition, sort]),
      ].map(string),
      KeySchema: [{ AttributeName: partitionKey, KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [index(indexes.byOwner, 'ALL'), index(indexes.byStatus, 'KEYS_ONLY')],
    }),
  );
  return {
    table: { ...tableOf(client, tableName), now },
    client,
    close: async () => {
      client.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
