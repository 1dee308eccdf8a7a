import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { keys } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { conditionally, type Table } from '../video/table.ts';
import type { Origin } from './result-object.ts';

/** How a line ended: as its video did, or without one. */
export const lineEndings = ['succeeded', 'failed', 'canceled', 'refused', 'deleted'] as const;
type LineEnding = (typeof lineEndings)[number];

/** A line that has ended. */
export interface EndedLine {
  line: number;
  ending: LineEnding;
  cost?: VideoRecord['cost'];
}

/**
 * The newest upload of a manifest: one item for each bucket and key. Every line's number is in exactly one of the sets, first in
 * `open`. DynamoDB keeps no empty set, so an item without `open` is one whose lines have all ended.
 */
export interface Manifest extends Partial<Record<LineEnding | 'open', Set<number>>> {
  bucket: string;
  key: string;
  /** Empty in a bucket without versions. */
  version_id: string;
  lines: number;
  /** Counts the writes of this item; each demands that there was none since it was read. */
  revision: number;
  /** ISO 8601 UTC, as the other times. */
  created_at: string;
  updated_at: string;
  /** When all lines had been accepted or refused: a repeated event finds nothing to do. */
  accepted_at?: string;
  /** What the videos that succeeded cost together. */
  cost?: number;
  currency?: string;
}

const keyOf = ({ bucket, key }: Origin) => ({ pk: keys.manifest(bucket, key) });

/** S3 calls the version of an object `null` where versioning is suspended. */
const versionOf = ({ version_id = '' }: Origin): string => (version_id === 'null' ? '' : version_id);

export const isSameUpload = (one: Origin, other: Origin): boolean => versionOf(one) === versionOf(other);

/** The newest upload of a manifest (strongly consistent). */
export async function readManifest(table: Table, upload: Origin): Promise<Manifest | undefined> {
  const get = new GetCommand({ TableName: table.tableName, Key: keyOf(upload), ConsistentRead: true });
  const { Item } = await table.client.send(get);
  return Item as Manifest | undefined;
}

/** Whether no newer upload of the manifest has been begun. */
export async function isNewest(table: Table, upload: Origin): Promise<boolean> {
  const get = new GetCommand({
    TableName: table.tableName,
    Key: keyOf(upload),
    ConsistentRead: true,
    ProjectionExpression: 'version_id',
  });
  const { Item } = await table.client.send(get);
  return Item !== undefined && isSameUpload(Item as Manifest, upload);
}

/**
 * Writes an upload in the place of the one before it, with all its lines open.
 * @param before the item as it was read before S3 was asked which upload is the newest, so that an older one never replaces a newer
 * @returns undefined when the item has changed since
 */
export async function beginManifest(
  table: Table,
  upload: Origin,
  lines: readonly number[],
  before: Manifest | undefined,
): Promise<Manifest | undefined> {
  const now = new Date(table.now()).toISOString();
  const manifest: Manifest = {
    bucket: upload.bucket,
    key: upload.key,
    version_id: versionOf(upload),
    lines: lines.length,
    revision: (before?.revision ?? 0) + 1,
    created_at: now,
    updated_at: now,
    ...(lines.length > 0 ? { open: new Set(lines) } : {}),
  };
  const put = new PutCommand({
    TableName: table.tableName,
    Item: { ...keyOf(upload), ...manifest },
    ...(before
      ? { ConditionExpression: 'revision = :before', ExpressionAttributeValues: { ':before': before.revision } }
      : { ConditionExpression: 'attribute_not_exists(pk)' }),
  });
  return (await conditionally(table.client.send(put))) && manifest;
}

/** Notes that every line of an upload has been accepted or refused. */
export async function markAccepted(table: Table, upload: Origin): Promise<void> {
  const update = new UpdateCommand({
    TableName: table.tableName,
    Key: keyOf(upload),
    UpdateExpression: 'SET accepted_at = :now',
    ConditionExpression: 'version_id = :version',
    ExpressionAttributeValues: { ':now': new Date(table.now()).toISOString(), ':version': versionOf(upload) },
  });
  await conditionally(table.client.send(update));
}

/** How often a write that others keep overtaking is tried. */
const ATTEMPTS = 20;

/**
 * Moves lines from `open` to the sets of their endings, all in one write. Moving a line twice is moving it once.
 * @param mayReplace whether a line that has ended in another way before, since its video was retried, ends as it is given here. It is
 *   asked between the read and the write, so that no late writer undoes what a later one wrote.
 * @returns the item as it is now; undefined when the upload is not the newest
 */
export async function moveLines(
  table: Table,
  upload: Origin,
  ended: readonly EndedLine[],
  mayReplace: () => Promise<boolean> = async () => false,
): Promise<Manifest | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const manifest = await readManifest(table, upload);
    if (!manifest || !isSameUpload(manifest, upload)) return undefined;
    const isOpen = ({ line }: EndedLine) => manifest.open?.has(line) === true;
    const changed = ended.filter((each) => !manifest[each.ending]?.has(each.line));
    const moved = changed.every(isOpen) || (await mayReplace()) ? changed : changed.filter(isOpen);
    if (moved.length === 0) return manifest;
    const { Attributes } = (await conditionally(table.client.send(moving(table, manifest, moved)))) ?? {};
    if (Attributes) return Attributes as Manifest;
  }
  throw new Error('The lines of a manifest could not be moved: other writes kept coming first.');
}

function moving(table: Table, manifest: Manifest, moved: readonly EndedLine[]): UpdateCommand {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {
    ':before': manifest.revision,
    ':next': manifest.revision + 1,
    ':now': new Date(table.now()).toISOString(),
  };
  const clauses = { SET: ['revision = :next', 'updated_at = :now'], ADD: [] as string[], DELETE: [] as string[] };
  const change = (clause: 'ADD' | 'DELETE', set: LineEnding | 'open', lines: readonly number[]) => {
    if (lines.length === 0) return;
    names[`#${set}`] = set;
    values[`:${clause}_${set}`] = new Set(lines);
    clauses[clause].push(`#${set} :${clause}_${set}`);
  };
  for (const set of [...lineEndings, 'open'] as const) {
    change(
      'ADD',
      set,
      moved.filter(({ ending }) => ending === set).map(({ line }) => line),
    );
    change(
      'DELETE',
      set,
      moved.filter(({ line }) => manifest[set]?.has(line)).map(({ line }) => line),
    );
  }
  const costs = moved.flatMap(({ cost }) => cost ?? []);
  if (costs[0]) {
    // No more decimals than a price has: the sum of binary fractions has many.
    values[':cost'] = Number(costs.reduce((sum, { amount }) => sum + amount, 0).toFixed(6));
    values[':currency'] = costs[0].currency;
    names['#cost'] = 'cost';
    clauses.ADD.push('#cost :cost');
    clauses.SET.push('currency = :currency');
  }
  return new UpdateCommand({
    TableName: table.tableName,
    Key: keyOf(manifest),
    UpdateExpression: Object.entries(clauses)
      .filter(([, changes]) => changes.length > 0)
      .map(([clause, changes]) => `${clause} ${changes.join(', ')}`)
      .join(' '),
    ConditionExpression: 'revision = :before',
    ...(Object.keys(names).length > 0 ? { ExpressionAttributeNames: names } : {}),
    ExpressionAttributeValues: values,
    ReturnValues: 'ALL_NEW',
  });
}
