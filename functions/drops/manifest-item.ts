import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { keys } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { conditionally, getItem, type Table, updateExpression, updateItem } from '../video/table.ts';
import { type Origin, placeOf } from './result-object.ts';

/** How a line ended: as its video did, `refused`, or `deleted`. */
export const lineEndings = ['succeeded', 'failed', 'canceled', 'refused', 'deleted'] as const;
type LineEnding = (typeof lineEndings)[number];

const sets = ['open', ...lineEndings] as const;

/** A line that has ended. */
export interface EndedLine {
  line: number;
  ending: LineEnding;
  cost?: VideoRecord['cost'];
}

/**
 * The newest upload of a manifest: one item per bucket and key. Each line's number is in exactly one of the sets, at first in `open`.
 * DynamoDB stores no empty set, so the lines of an item without `open` have all ended.
 */
export interface Manifest extends Partial<Record<(typeof sets)[number], Set<number>>> {
  bucket: string;
  key: string;
  /** Empty in a bucket without versions. */
  version_id: string;
  lines: number;
  /** Counts the writes of this item; each is conditional on the number that was read. */
  revision: number;
  /** ISO 8601 UTC, as the other times. */
  created_at: string;
  updated_at: string;
  /** The total cost of the videos that succeeded. */
  cost?: number;
  currency?: string;
}

const keyOf = ({ bucket, key }: Origin): string => keys.manifest(bucket, key);

/** S3 calls the version of an object `null` where versioning is suspended. */
const versionOf = ({ version_id = '' }: Origin): string => (version_id === 'null' ? '' : version_id);

export const isSameUpload = (one: Origin, other: Origin): boolean => versionOf(one) === versionOf(other);

/** The newest upload of a manifest (strongly consistent). */
export const readManifest = (table: Table, upload: Origin): Promise<Manifest | undefined> =>
  getItem(table, keyOf(upload));

/** Whether no newer upload of the manifest has begun. */
export async function isNewest(table: Table, upload: Origin): Promise<boolean> {
  const newest = await readManifest(table, upload);
  return newest !== undefined && isSameUpload(newest, upload);
}

/** Whether a line of the newest upload has not ended. */
export async function isOpen(table: Table, upload: Origin, line: number): Promise<boolean> {
  const newest = await readManifest(table, upload);
  return newest !== undefined && isSameUpload(newest, upload) && newest.open?.has(line) === true;
}

/**
 * Replaces the item of the previous upload by that of a new one, with all its lines open.
 * @param before the item as it was read before the newest upload was looked up in S3, so that an older one never replaces a newer one
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
    ...placeOf(upload),
    version_id: versionOf(upload),
    lines: lines.length,
    revision: (before?.revision ?? 0) + 1,
    created_at: now,
    updated_at: now,
    ...(lines.length > 0 ? { open: new Set(lines) } : {}),
  };
  const put = new PutCommand({
    TableName: table.tableName,
    Item: { pk: keyOf(upload), ...manifest },
    ...(before
      ? { ConditionExpression: 'revision = :before', ExpressionAttributeValues: { ':before': before.revision } }
      : { ConditionExpression: 'attribute_not_exists(pk)' }),
  });
  return (await conditionally(table.client.send(put))) && manifest;
}

/** How often a write is tried while others change the item. */
const ATTEMPTS = 20;

/**
 * Moves lines from `open` to the sets of their endings, all in one write. Idempotent.
 * @param mayReplace whether the given ending replaces another one: a retry of the line's video ends it again. It is called between the
 *   read and the write, so that a late writer does not undo a later ending.
 * @returns the item after the write; undefined when the upload is not the newest
 */
export async function moveLines(
  table: Table,
  upload: Origin,
  ended: readonly EndedLine[],
  mayReplace: () => Promise<boolean> = async () => false,
): Promise<Manifest | undefined> {
  const [only, ...others] = ended;
  const moved = only && others.length === 0 && (await moveOpenLine(table, upload, only));
  if (moved) return moved;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const manifest = await readManifest(table, upload);
    if (!manifest || !isSameUpload(manifest, upload)) return undefined;
    const wasOpen = ({ line }: EndedLine) => manifest.open?.has(line) === true;
    const changed = ended.filter((each) => !manifest[each.ending]?.has(each.line));
    const moved = changed.every(wasOpen) || (await mayReplace()) ? changed : changed.filter(wasOpen);
    if (moved.length === 0) return manifest;
    const next = withMoved(manifest, moved, table.now());
    const { update, names, values } = updateExpression({ set: next, remove: sets.filter((set) => !next[set]) });
    const written = await updateItem<Manifest>(table, keyOf(manifest), {
      UpdateExpression: update,
      ConditionExpression: '#revision = :before',
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: { ...values, ':before': manifest.revision },
    });
    if (written) return written;
  }
  throw new Error('The lines of a manifest could not be moved: other processes kept changing its item.');
}

/**
 * Moves an open line by a single write that depends only on this line: many lines may end concurrently.
 * @returns undefined when the line is not open, or the upload is not the newest
 */
const moveOpenLine = (table: Table, upload: Origin, { line, ending, cost }: EndedLine): Promise<Manifest | undefined> =>
  updateItem<Manifest>(table, keyOf(upload), {
    UpdateExpression: `ADD #ending :set_of_line, revision :one${cost ? ', cost :cost' : ''} DELETE #open :set_of_line SET updated_at = :now${cost ? ', currency = :currency' : ''}`,
    ConditionExpression: 'version_id = :version_id AND contains(#open, :line)',
    ExpressionAttributeNames: { '#ending': ending, '#open': 'open' },
    ExpressionAttributeValues: {
      ':set_of_line': new Set([line]),
      ':line': line,
      ':one': 1,
      ':now': new Date(table.now()).toISOString(),
      ':version_id': versionOf(upload),
      ...(cost ? { ':cost': cost.amount, ':currency': cost.currency } : {}),
    },
  });

/** Returns the attributes that change when lines are moved; a set that becomes empty is undefined. */
function withMoved(manifest: Manifest, moved: readonly EndedLine[], now: number) {
  const lines = new Set(moved.map(({ line }) => line));
  const changed = sets.map((set) => {
    const stay = [...(manifest[set] ?? [])].filter((line) => !lines.has(line));
    const all = new Set([...stay, ...moved.filter(({ ending }) => ending === set).map(({ line }) => line)]);
    return [set, all.size > 0 ? all : undefined];
  });
  const costs = moved.flatMap(({ cost }) => cost ?? []);
  // Prices have few decimals; a sum of binary fractions has many.
  const cost = Number(costs.reduce((sum, { amount }) => sum + amount, manifest.cost ?? 0).toFixed(6));
  return {
    ...(Object.fromEntries(changed) as Record<(typeof sets)[number], Set<number> | undefined>),
    ...(costs[0] ? { cost, currency: costs[0].currency } : {}),
    revision: manifest.revision + 1,
    updated_at: new Date(now).toISOString(),
  };
}
