import { randomBytes } from 'node:crypto';
import { PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { Caller } from '../../shared/caller.ts';
import { ownerName } from '../../shared/environment.ts';
import { keys, sha256Hex } from '../../video/keys.ts';
import { getItem, type Table, updateItem } from '../../video/table.ts';

/** An API key in the table: `pk` holds the SHA-256 of its text. The text itself is not stored. */
export interface ApiKeyItem {
  pk: string;
  /** A short random name for the key, shown in lists. */
  key_id: string;
  owner: string;
  /** ISO 8601 UTC. */
  created_at: string;
  /** ISO 8601 UTC; set once, when the key is revoked. */
  revoked_at?: string;
}

/** Owners' names hold no `#`, which separates them from what follows in the indexes. */
export const isOwnerName = (name: string): boolean => ownerName.safeParse(name).success;

/** Creates a key of 256 random bits for an owner. @returns the item and the key's text, which cannot be read again */
export async function createApiKey(table: Table, owner: string): Promise<{ key: string; item: ApiKeyItem }> {
  const key = `ff_${randomBytes(32).toString('base64url')}`;
  const item: ApiKeyItem = {
    pk: keys.apiKey(sha256Hex(key)),
    key_id: randomBytes(6).toString('hex'),
    owner,
    created_at: new Date(table.now()).toISOString(),
  };
  await table.client.send(
    new PutCommand({ TableName: table.tableName, Item: item, ConditionExpression: 'attribute_not_exists(pk)' }),
  );
  return { key, item };
}

/** The caller that a key belongs to (strongly consistent read); undefined for an unknown or revoked key. */
export async function ownerOfKey(table: Table, key: string): Promise<Caller | undefined> {
  const item = await getItem<Partial<ApiKeyItem>>(table, keys.apiKey(sha256Hex(key)));
  const { owner, key_id, revoked_at } = item ?? {};
  return owner && key_id && revoked_at === undefined ? { owner, key_id } : undefined;
}

/** Every key, oldest first. Reads the whole table: for an operator, who does so rarely. */
export async function listApiKeys(table: Table): Promise<ApiKeyItem[]> {
  const items: ApiKeyItem[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const page = await table.client.send(
      new ScanCommand({
        TableName: table.tableName,
        FilterExpression: 'begins_with(pk, :prefix)',
        ExpressionAttributeValues: { ':prefix': keys.apiKey('') },
        ConsistentRead: true,
        ...(start ? { ExclusiveStartKey: start } : {}),
      }),
    );
    items.push(...((page.Items ?? []) as ApiKeyItem[]));
    start = page.LastEvaluatedKey;
  } while (start);
  return items.sort((one, other) => (one.created_at < other.created_at ? -1 : 1));
}

/**
 * Revokes a key. A revoked key keeps its time. API Gateway caches the authorization for another 60 s.
 * @returns the key, or undefined for an unknown id
 */
export async function revokeApiKey(table: Table, keyId: string): Promise<ApiKeyItem | undefined> {
  const item = (await listApiKeys(table)).find(({ key_id }) => key_id === keyId);
  if (!item || item.revoked_at) return item;
  const revoked_at = new Date(table.now()).toISOString();
  return updateItem<ApiKeyItem>(table, item.pk, {
    UpdateExpression: 'SET revoked_at = :now',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':now': revoked_at },
  });
}
