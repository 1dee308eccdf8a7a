import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { timeToLive } from '../shared/table-schema.ts';
import { deterministicId, keys, timeAndId } from '../video/keys.ts';
import type { Table } from '../video/table.ts';
import { conditionally } from '../video/table.ts';

/** How long a manifest that is done is still known, in days: longer than any event of its upload may be repeated. */
const KEPT_DAYS = 30;

/** One version of a manifest in the drop folder. */
export interface Manifest {
  id: string;
  owner: string;
  bucket: string;
  key: string;
  version_id?: string;
  /** ISO 8601 UTC. */
  created_at: string;
  /** The number of its last line. */
  lines: number;
  /** When all its lines were taken, and its result was written for the first time. */
  taken_at?: string;
}

type Version = Pick<Manifest, 'bucket' | 'key' | 'version_id'>;

export const manifestId = ({ bucket, key, version_id = '' }: Version): string =>
  deterministicId('manifest', bucket, key, version_id);

/** The id of the video of a line. One line of one version of one manifest is one video, however often it is taken (invariant 2). */
export const lineId = ({ bucket, key, version_id = '' }: Version, line: number): string =>
  deterministicId('manifest', bucket, key, version_id, String(line));

/** The manifest as it stands (strongly consistent). */
export async function readManifest(table: Table, id: string): Promise<Manifest | undefined> {
  const { Item } = await table.client.send(
    new GetCommand({ TableName: table.tableName, Key: keyOf(id), ConsistentRead: true }),
  );
  return Item as Manifest | undefined;
}

/** Writes a manifest down, before the first of its lines is taken; one that stands stays as it is. */
export async function openManifest(table: Table, manifest: Manifest): Promise<void> {
  const open = new PutCommand({
    TableName: table.tableName,
    Item: {
      ...manifest,
      ...keyOf(manifest.id),
      open_status: 'manifest',
      open_order: timeAndId(manifest.created_at, manifest.id),
    },
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  await conditionally(table.client.send(open));
}

/** Writes down that all lines were taken, so that a repeated event finds nothing to do. */
export async function markTaken(table: Table, id: string): Promise<void> {
  const taken = new UpdateCommand({
    TableName: table.tableName,
    Key: keyOf(id),
    UpdateExpression: 'SET taken_at = :now',
    ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(taken_at)',
    ExpressionAttributeValues: { ':now': new Date(table.now()).toISOString() },
  });
  await conditionally(table.client.send(taken));
}

/** Takes a manifest from what needs work: its result is told for the last time. */
export async function closeManifest(table: Table, id: string): Promise<void> {
  const closing = new UpdateCommand({
    TableName: table.tableName,
    Key: keyOf(id),
    UpdateExpression: 'SET #ttl = :forgotten REMOVE open_status, open_order',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeNames: { '#ttl': timeToLive },
    ExpressionAttributeValues: { ':forgotten': Math.floor(table.now() / 1000) + KEPT_DAYS * 24 * 3600 },
  });
  await conditionally(table.client.send(closing));
}

const keyOf = (id: string) => ({ pk: keys.manifest(id) });
