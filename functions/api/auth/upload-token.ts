import { randomBytes } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Caller } from '../../shared/caller.ts';
import { partitionKey, timeToLive } from '../../shared/table-schema.ts';
import { keys, sha256Hex } from '../../video/keys.ts';
import { getItem, type Table, updateItem } from '../../video/table.ts';

/** As long as Wan's own upload policies are good for at most: long enough for a slow line. */
const GOOD_FOR_MILLISECONDS = 15 * 60_000;

/** A picture and a sound are two; whoever tries again sends them under other names. */
const MOST_FILES = 10;

/** What an upload token stands for. */
export interface UploadGrant extends Caller {
  /** Names the folder that the file goes into. */
  upload_id: string;
}

/** An upload token as it lies in the table: by the SHA-256 of its text, like an API key. */
interface UploadTokenItem extends UploadGrant {
  [partitionKey]: string;
  /** How many came by it. */
  files?: number;
  /** ISO 8601 UTC. */
  expires_at: string;
  [timeToLive]: number;
}

const itemKey = (token: string): string => keys.uploadToken(sha256Hex(token));

/**
 * Makes a token of 256 random bits by which ten files can be uploaded to one folder, by `POST /api/v1/uploads`, in the next 15
 * minutes: for the forms of Wan's protocol, which carry no API key.
 */
export async function createUploadToken(
  table: Table,
  { owner, key_id }: Caller,
  { upload_id }: Pick<UploadGrant, 'upload_id'>,
): Promise<{ token: string; expires_at: string }> {
  const token = `ffu_${randomBytes(32).toString('base64url')}`;
  const end = table.now() + GOOD_FOR_MILLISECONDS;
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

/** What a token stands for; undefined when there is none, or it was good until before now. */
export async function readUploadToken(table: Table, token: string): Promise<UploadGrant | undefined> {
  const item = await getItem<UploadTokenItem>(table, itemKey(token));
  if (!item) return undefined;
  const { owner, key_id, upload_id, expires_at } = item;
  // DynamoDB deletes what has expired within days, not at once.
  return Date.parse(expires_at) > table.now() ? { owner, key_id, upload_id } : undefined;
}

/** Counts a file that is about to be stored by a token. @returns false when the token is good for no more, or there is none */
export async function countUpload(table: Table, token: string): Promise<boolean> {
  const counted = await updateItem(table, itemKey(token), {
    UpdateExpression: 'ADD #files :one',
    ConditionExpression: `attribute_exists(${partitionKey}) AND (attribute_not_exists(#files) OR #files < :most)`,
    ExpressionAttributeNames: { '#files': 'files' },
    ExpressionAttributeValues: { ':one': 1, ':most': MOST_FILES },
  });
  return counted !== undefined;
}
