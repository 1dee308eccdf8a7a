import { PutCommand, type PutCommandInput } from '@aws-sdk/lib-dynamodb';
import { timeToLive } from '../shared/table-schema.ts';
import { keys, timeAndId } from './keys.ts';
import { tombstoneExpiry, type VideoRecord } from './record.ts';
import { conditionally, readItem, type Table, updateItem } from './table.ts';

/**
 * All that is left of a deleted video, for 30 days. The tombstone of a video from the drop folder does not expire: a sync program may
 * upload the same file again after years.
 */
export interface Tombstone {
  id: string;
  owner: string;
  /** ISO 8601 UTC. */
  deleted_at: string;
}

export const isTombstone = (item: Record<string, unknown>): item is { tombstone: Tombstone } =>
  item.tombstone !== undefined;

/**
 * Replaces a record with a tombstone in one write: nothing of the request remains, no list contains it, and its id stays taken. The
 * tombstone is in the status index until `closeTombstone`, because the video's objects are deleted after it is written.
 * @returns false when status, run or timeline of the video have changed since it was read
 */
export const replaceWithTombstone = (table: Table, video: VideoRecord): Promise<boolean> =>
  writeTombstone(table, video, video.source.type === 'api', {
    // A retry that is canceled before it starts changes neither status nor run; its ending has to be published as well.
    ConditionExpression: '#status = :status AND #run = :run AND size(timeline) = :entries',
    ExpressionAttributeNames: { '#status': 'status', '#run': 'run' },
    ExpressionAttributeValues: { ':status': video.status, ':run': video.run, ':entries': video.timeline.length },
  });

/**
 * Writes a tombstone for a video whose record could not be created, so that the sweep deletes its stored media.
 * @returns false when the record exists: a write may have succeeded although its response was lost
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
  const put = new PutCommand({
    TableName: table.tableName,
    Item: {
      pk: keys.video(id),
      tombstone,
      open_status: 'deleting',
      open_order: timeAndId(tombstone.deleted_at, id),
      ...(expires ? { [timeToLive]: tombstoneExpiry(now) } : {}),
    },
    ...condition,
  });
  return (await conditionally(table.client.send(put))) !== undefined;
}

/** Returns the tombstone of a deleted video (strongly consistent); undefined when there is none. */
export async function readTombstone(table: Table, id: string): Promise<Tombstone | undefined> {
  const item = await readItem(table, id);
  return item && isTombstone(item) ? item.tombstone : undefined;
}

/** Removes a tombstone from the status index: no object of its video is left. */
export async function closeTombstone(table: Table, id: string): Promise<void> {
  await updateItem(table, keys.video(id), {
    UpdateExpression: 'REMOVE open_status, open_order',
    ConditionExpression: 'attribute_exists(tombstone)',
  });
}
