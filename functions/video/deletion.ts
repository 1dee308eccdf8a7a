import { PutCommand, type PutCommandInput } from '@aws-sdk/lib-dynamodb';
import { timeToLive } from '../shared/table-schema.ts';
import { keys, timeAndId } from './keys.ts';
import type { VideoRecord } from './record.ts';
import { conditionally, readItem, type Table, updateItem } from './table.ts';

/**
 * How long a late duplicate of a deleted video's request is still known, and pays nothing. A video of the drop folder is known for
 * ever: a sync program may upload the same file again after years.
 */
const TOMBSTONE_DAYS = 30;

/** All that is left of a deleted video. */
export interface Tombstone {
  id: string;
  owner: string;
  /** ISO 8601 UTC. */
  deleted_at: string;
}

export const isTombstone = (item: Record<string, unknown>): item is { tombstone: Tombstone } =>
  item.tombstone !== undefined;

/**
 * Puts a tombstone in a record's place, in one write: nothing of the request lives on, no list shows it, and its id is taken for
 * another 30 days. It stands among what needs work until `closeTombstone`, since its objects are deleted after it.
 * @returns false when the video is no longer as `video` says (status and run): read it again
 */
export const replaceWithTombstone = (table: Table, video: VideoRecord): Promise<boolean> =>
  writeTombstone(table, video, video.source.type === 'api', {
    ConditionExpression: '#status = :status AND #run = :run',
    ExpressionAttributeNames: { '#status': 'status', '#run': 'run' },
    ExpressionAttributeValues: { ':status': video.status, ':run': video.run },
  });

/**
 * Puts a tombstone where a record could not be written, so that none is any more, and what was stored for its video goes the way
 * of a deleted one's.
 * @returns false when the record stands after all: a write may have come through although its answer did not
 */
export const tombstoneUncreated = (table: Table, video: Pick<VideoRecord, 'id' | 'owner'>): Promise<boolean> =>
  writeTombstone(table, video, true, { ConditionExpression: 'attribute_not_exists(pk)' });

async function writeTombstone(
  table: Table,
  { id, owner }: Pick<VideoRecord, 'id' | 'owner'>,
  expires: boolean,
  condition: Pick<PutCommandInput, 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'>,
): Promise<boolean> {
  const now = table.now();
  const tombstone: Tombstone = { id, owner, deleted_at: new Date(now).toISOString() };
  const burial = new PutCommand({
    TableName: table.tableName,
    Item: {
      pk: keys.video(id),
      tombstone,
      open_status: 'deleting',
      open_order: timeAndId(tombstone.deleted_at, id),
      ...(expires ? { [timeToLive]: Math.floor(now / 1000) + TOMBSTONE_DAYS * 24 * 3600 } : {}),
    },
    ...condition,
  });
  return (await conditionally(table.client.send(burial))) !== undefined;
}

/** The tombstone of a deleted video (strongly consistent); undefined for a video that stands, or never was. */
export async function readTombstone(table: Table, id: string): Promise<Tombstone | undefined> {
  const item = await readItem(table, id);
  return item && isTombstone(item) ? item.tombstone : undefined;
}

/** Takes a tombstone from what needs work: nothing of its video is left anywhere. */
export async function closeTombstone(table: Table, id: string): Promise<void> {
  await updateItem(table, keys.video(id), {
    UpdateExpression: 'REMOVE open_status, open_order',
    ConditionExpression: 'attribute_exists(tombstone)',
  });
}
