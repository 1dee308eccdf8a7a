import { randomBytes } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Caller } from '../../shared/caller.ts';
import { partitionKey, timeToLive } from '../../shared/table-schema.ts';
import { keys, sha256Hex } from '../../video/keys.ts';
import { getItem, type Table, updateItem } from '../../video/table.ts';

/** The longest that Wan's own upload policies are valid: long enough for a slow connection. */
const LIFETIME_MILLISECONDS = 15 * 60_000;

/** An image and an audio file are two; each retry of a client sends them under other names. */
const MAX_FILES = 10;

/** What an upload token permits. */
export interface UploadGrant extends Caller {
  /** Names the folder that the file goes into. */
  upload_id: string;
}

/** An upload token in the table: stored as the SHA-256 of its text, like an API key. */
interface UploadTokenItem extends UploadGrant {
  [partitionKey]: string;
  /** Files uploaded with it so far. */
  files?: number;
  /** ISO 8601 UTC. */
  expires_at: string;
  [timeToLive]: number;
}

const itemKey = (token: string): string => keys.uploadToken(sha256Hex(token));

/**
 * Creates a token of 256 random bits that permits uploading ten files to one folder through `POST /api/v1/uploads` in the next 15
 * minutes. The upload forms of Wan's protocol carry no API key.
 */
export async function createUploadToken(
  table: Table,
  { owner, key_id }: Caller,
  { upload_id }: Pick<UploadGrant, 'upload_id'>,
): Promise<{ token: string; expires_at: string }> {
  const token = `ffu_${randomBytes(32).toString('base64url')}`;
  const end = table.now() + LIFETIME_MILLISECONDS;
  const item: UploadTokenItem = {
    [partitionKey]: itemKey(token),
    owner,
    key_id,
    upload_id,
    expires_at: new Date(end).toISOString(),
    [timeToLive]: Math.ceil(end / 1000),
  };
  const unique = `attribute_not_exists(${partitionKey})`;
  await table.client.send(new PutCommand({ TableName: table.tableName, Item: item, ConditionExpression: unique }));
  return { token, expires_at: item.expires_at };
}

/** The grant of a token; undefined when it is unknown or expired. */
export async function readUploadToken(table: Table, token: string): Promise<UploadGrant | undefined> {
  const item = await getItem<UploadTokenItem>(table, itemKey(token));
  if (!item) return undefined;
  const { owner, key_id, upload_id, expires_at } = item;
  // DynamoDB deletes expired items within days, not immediately.
  return Date.parse(expires_at) > table.now() ? { owner, key_id, upload_id } : undefined;
}

/** Counts a file that is about to be stored. @returns false when the token is used up or unknown */
export async function countUpload(table: Table, token: string): Promise<boolean> {
  const counted = await updateItem(table, itemKey(token), {
    UpdateExpression: 'ADD #files :one',
    ConditionExpression: `attribute_exists(${partitionKey}) AND (attribute_not_exists(#files) OR #files < :most)`,
    ExpressionAttributeNames: { '#files': 'files' },
    ExpressionAttributeValues: { ':one': 1, ':most': MAX_FILES },
  });
  return counted !== undefined;
}
