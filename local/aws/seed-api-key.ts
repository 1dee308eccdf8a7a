import { keys, sha256Hex } from '../../functions/video/keys.ts';
import type { DynamoDb } from './dynamodb/dynamodb.ts';

/** Stores an API key as `npm run api-key` does: only its SHA-256. Does nothing if the key exists. */
export async function seedApiKey(
  { handle }: Pick<DynamoDb, 'handle'>,
  { table, key, owner, now }: { table: string; key: string; owner: string; now: number },
): Promise<void> {
  const item = { pk: keys.apiKey(sha256Hex(key)), key_id: 'local', owner, created_at: new Date(now).toISOString() };
  const response = await handle(
    'PutItem',
    JSON.stringify({
      TableName: table,
      Item: Object.fromEntries(Object.entries(item).map(([name, value]) => [name, { S: value }])),
      ConditionExpression: 'attribute_not_exists(pk)',
    }),
  );
  if (response.status !== 200 && !response.body.includes('ConditionalCheckFailedException'))
    throw new Error(`The API key could not be stored: ${response.body}`);
}
