import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Table } from './store.ts';

/** The table as plain objects. Fields that are undefined are left out, as JSON does. */
export const tableOf = (client: DynamoDBClient, tableName: string): Table => ({
  client: DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }),
  tableName,
  now: Date.now,
});
