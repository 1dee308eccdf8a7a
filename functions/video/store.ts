import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { timeToLive } from '../shared/table-schema.ts';
import { isTombstone } from './deletion.ts';
import { keys, openAttributes, timeAndId } from './keys.ts';
import {
  expiryAttributes,
  expiryOf,
  isLegalTransition,
  isTerminal,
  monthOf,
  type Status,
  type VideoRecord,
} from './record.ts';
import { conditionally, readItem, type Table, updateExpression, updateItem } from './table.ts';

/** A video's item: its record and the key attributes of the table and its indexes. */
type Item = VideoRecord & {
  pk: string;
  created_at_id: string;
  open_status?: string;
  open_order?: string;
  [timeToLive]?: number;
};

/** Returns the record in an item of the table or of an index that projects all attributes. */
export function fromItem(item: object): VideoRecord {
  const { pk, created_at_id, open_status, open_order, [timeToLive]: _, ...record } = item as Item;
  return record;
}

/** Returns a video (strongly consistent); undefined when it does not exist or was deleted. */
export async function readVideo(table: Table, id: string): Promise<VideoRecord | undefined> {
  const item = await readItem(table, id);
  return item && !isTombstone(item) ? fromItem(item) : undefined;
}

/** The result of `createVideo`: the new video, the existing one with its id, or `deleted` when there is a tombstone. */
export type Creation = { outcome: 'created' | 'existing'; video: VideoRecord } | { outcome: 'deleted' };

/** Writes a new video unless its id exists. An item that has expired does not count, although DynamoDB may still return it. */
export async function createVideo(table: Table, video: VideoRecord): Promise<Creation> {
  const put = new PutCommand({
    TableName: table.tableName,
    Item: {
      ...video,
      pk: keys.video(video.id),
      created_at_id: timeAndId(video.created_at, video.id),
      ...openAttributes(video),
    },
    ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now',
    ExpressionAttributeNames: { '#ttl': timeToLive },
    ExpressionAttributeValues: { ':now': Math.floor(table.now() / 1000) },
  });
  if (await conditionally(table.client.send(put))) {
    await table.onStatusChanged?.(video);
    return { outcome: 'created', video };
  }
  const existing = await readVideo(table, video.id);
  return existing ? { outcome: 'existing', video: existing } : { outcome: 'deleted' };
}

export interface Change {
  set?: Partial<VideoRecord>;
  remove?: readonly (keyof VideoRecord)[];
}

/** A condition on the record, in addition to status and run. */
export interface Condition {
  expression: string;
  names?: Record<string, string>;
  values?: Record<string, unknown>;
}

async function update(
  table: Table,
  video: VideoRecord,
  { set, append = {}, remove = [] }: { set?: object; append?: object; remove?: readonly string[] },
  condition?: Condition,
): Promise<VideoRecord | undefined> {
  const updated_at = new Date(table.now()).toISOString();
  const { update, names, values } = updateExpression({ set: { ...set, updated_at }, append, remove });
  const expected = ['#status = :expected_status', '#run = :expected_run'];
  const written = await updateItem(table, keys.video(video.id), {
    UpdateExpression: update,
    ConditionExpression: [...expected, ...(condition ? [`(${condition.expression})`] : [])].join(' AND '),
    ExpressionAttributeNames: { ...names, ...condition?.names, '#status': 'status', '#run': 'run' },
    ExpressionAttributeValues: {
      ...values,
      ...condition?.values,
      ':expected_status': video.status,
      ':expected_run': video.run,
    },
  });
  return written && fromItem(written);
}

/**
 * Moves a video to another status in one conditional write, which also updates the timeline and the index attributes. A return to the
 * queue (`submitting → queued`) and the next start add no timeline entries: a queue may be paused for weeks, and an item holds 400 KB.
 * @returns the new record, or undefined when the status or run differs from `video`: read the record again
 * @throws Error when the transition is not allowed
 */
export async function changeStatus(
  table: Table,
  video: VideoRecord,
  to: Status,
  change: Change = {},
  condition?: Condition,
): Promise<VideoRecord | undefined> {
  if (!isLegalTransition(video.status, to)) {
    throw new Error(`The transition from ${video.status} to ${to} is not allowed.`);
  }
  const open = openAttributes({ ...video, status: to });
  const isRequeued = video.status === 'submitting' && to === 'queued';
  const isNewEntry = !isRequeued && video.timeline.at(-1)?.status !== to;
  const entry = { status: to, at: new Date(table.now()).toISOString() };
  const changed = await update(
    table,
    video,
    {
      set: { ...change.set, status: to, ...open, ...expiryOf(table, { ...video, status: to }) },
      append: isNewEntry ? { timeline: [entry] } : {},
      remove: [
        ...(change.remove ?? []),
        ...(open.open_status ? [] : ['open_status', 'open_order']),
        ...(isTerminal(video.status) ? expiryAttributes : []),
      ],
    },
    condition,
  );
  if (changed && isNewEntry) await table.onStatusChanged?.(changed);
  return changed;
}

/**
 * Changes a video without changing its status.
 * @returns the new record, or undefined when the status or run differs from `video`, or the condition does not hold
 */
export const changeVideo = (
  table: Table,
  video: VideoRecord,
  change: Change,
  condition?: Condition,
): Promise<VideoRecord | undefined> => update(table, video, change, condition);

/** Returns the number of a new download of the video: 1, 2, … Numbers are unique, so each download gets its own key. */
export async function nextDownload(table: Table, id: string): Promise<number> {
  const counted = await updateItem<{ downloads: number }>(table, keys.video(id), {
    UpdateExpression: 'ADD downloads :one',
    ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(tombstone)',
    ExpressionAttributeValues: { ':one': 1 },
  });
  if (!counted) throw new Error(`The video ${id} was deleted.`);
  return counted.downloads;
}

type VideoFields = Pick<
  VideoRecord,
  | 'id'
  | 'owner'
  | 'source'
  | 'model'
  | 'input'
  | 'parameters'
  | 'metadata'
  | 'warnings'
  | 'request_hash'
  | 'estimated_cost'
  | 'derived_from'
>;

/** Returns a new video: `queued`, or `failed` with an error. @param now milliseconds since 1970 */
export function newVideo(fields: VideoFields, now: number, error?: VideoRecord['error']): VideoRecord {
  const at = new Date(now).toISOString();
  const status = error ? 'failed' : 'queued';
  return {
    ...fields,
    status,
    created_at: at,
    updated_at: at,
    run: 0,
    spending_month: monthOf(now),
    ...(error ? { error } : {}),
    timeline: [{ status, at }],
  };
}

/** Removes an ended video from the status index when nothing remains to be done, unless the video has changed since it was read. */
export async function markFinished(table: Table, { id, status, run, updated_at }: VideoRecord): Promise<void> {
  await updateItem(table, keys.video(id), {
    UpdateExpression: 'REMOVE open_status, open_order',
    ConditionExpression: '#status = :status AND #run = :run AND updated_at = :updated_at',
    ExpressionAttributeNames: { '#status': 'status', '#run': 'run' },
    ExpressionAttributeValues: { ':status': status, ':run': run, ':updated_at': updated_at },
  });
}
