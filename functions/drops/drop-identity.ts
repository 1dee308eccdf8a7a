import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { canonicalJson } from '../shared/json-body.ts';
import { deterministicId, keys, sha256Hex } from '../video/keys.ts';
import { conditionally, getItem, type Table, updateItem } from '../video/table.ts';
import { withMediaList } from '../wan/media.ts';
import type { DropExtension } from './extend-drop.ts';
import type { DropRequest } from './settings.ts';

interface ObjectKey {
  bucket: string;
  key: string;
}

/** Bytes under a key of the drop folder. Each version of the object with these bytes is an upload of the same content. */
export interface DropContent extends ObjectKey {
  /** Follows from the key, until the deployment's table of owners changes: another owner gets videos of their own (invariant 7). */
  owner: string;
  /** Hex. */
  sha256: string;
}

export const contentOf = ({ bucket, key }: ObjectKey, owner: string, bytes: Uint8Array): DropContent => ({
  bucket,
  key,
  owner,
  sha256: sha256Hex(bytes),
});

/** The decision which video an upload, or a sidecar's upload, asks for. It is written before that video is touched. */
export interface Claim {
  /** The version of the image, or of the sidecar, that was uploaded. */
  upload: string;
  id: string;
  /** ISO 8601 UTC. */
  at: string;
  /** Of a failed video that the upload starts again: its `updated_at` at that time. The restart changes it, so it happens once. */
  restarts?: string;
}

/**
 * The claims on the videos of one content, the newest last. The item does not expire. Its condition on `revision` serializes the events
 * of an image and its sidecar, which may be handled concurrently and see different settings.
 */
export interface DropItem {
  revision: number;
  claims: Claim[];
}

/**
 * How many claims an item keeps: 20 KB at usual lengths of a version, and below DynamoDB's 400 KB at S3's longest (1,024 bytes). An
 * older one only matters to an event that is repeated after a hundred later uploads of the same bytes. Which videos exist, and which
 * were deleted, does not depend on the list: the id of a video follows from its identity, and a record or a tombstone holds that id.
 */
const MAX_CLAIMS = 100;

/** The claims on a content (strongly consistent); undefined before the first. */
export const readDropItem = (table: Table, content: DropContent): Promise<DropItem | undefined> =>
  getItem(table, keys.dropContent(content));

/**
 * Adds claims, each instead of an earlier one of its upload.
 * @param before the item as it was read before the settings were
 * @returns false when the item has changed since: read it and the settings again
 */
export async function writeClaims(
  table: Table,
  content: DropContent,
  before: DropItem | undefined,
  claims: readonly Claim[],
): Promise<boolean> {
  const uploads = new Set(claims.map(({ upload }) => upload));
  const others = (before?.claims ?? []).filter(({ upload }) => !uploads.has(upload));
  const item: DropItem = {
    revision: (before?.revision ?? 0) + 1,
    claims: [...others, ...claims].slice(-MAX_CLAIMS),
  };
  const put = new PutCommand({
    TableName: table.tableName,
    Item: { pk: keys.dropContent(content), ...item },
    ...(before
      ? { ConditionExpression: 'revision = :before', ExpressionAttributeValues: { ':before': before.revision } }
      : { ConditionExpression: 'attribute_not_exists(pk)' }),
  });
  return (await conditionally(table.client.send(put))) !== undefined;
}

/**
 * The id of a drop's video: the same bytes and settings under the same key mean the same video (invariant 2). The request counts as it
 * was resolved from the settings, before the model's defaults: a later version with other defaults still knows it again. Its media
 * count in one form, however they are given, and a last frame from the drop folder by its bytes.
 * @param take distinguishes videos of equal settings
 * @param lastFrame its bytes
 * @param extension the video that it continues
 */
export function dropId(
  { bucket, key, owner, sha256 }: DropContent,
  { model, input: { img_url: _, ...input }, parameters, metadata }: DropRequest,
  take = 1,
  lastFrame?: Uint8Array,
  extension?: DropExtension,
): string {
  const last_frame = lastFrame && sha256Hex(lastFrame);
  const request = canonicalJson(
    withMediaList({ model, input, parameters, metadata, take, last_frame, extends: extension }),
  );
  return deterministicId('drop', owner, bucket, key, sha256, request);
}

/**
 * Records that an event of an object was handled, so that the sweep does not take it for lost.
 * @param lastModified when S3 stored its version: seconds since 1970
 */
export async function markHandled(table: Table, { bucket, key }: ObjectKey, lastModified: number): Promise<void> {
  await updateItem(table, keys.drop(bucket, key), {
    UpdateExpression: 'SET last_modified = :time',
    ConditionExpression: 'attribute_not_exists(pk) OR last_modified < :time',
    ExpressionAttributeValues: { ':time': lastModified },
  });
}

/** Whether an event of this version of an object, or of a later one, was handled. @param lastModified as for `markHandled` */
export async function isHandled(table: Table, { bucket, key }: ObjectKey, lastModified: number): Promise<boolean> {
  const handled = await getItem<{ last_modified: number }>(table, keys.drop(bucket, key));
  return handled !== undefined && handled.last_modified >= lastModified;
}
