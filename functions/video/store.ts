import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { isTombstone } from './deletion.ts';
import { keys, openAttributes, timeAndId } from './keys.ts';
import { isLegalTransition, isTerminal, monthOf, type Status, type VideoRecord } from './record.ts';
import { conditionally, readItem, type Table, updateExpression, updateItem } from './table.ts';

/** A video as it lies in the table: with the keys of the item and of its indexes, which the record itself does not carry. */
type Item = VideoRecord & { pk: string; created_at_id: string; open_status?: string; open_order?: string };

/** The record in an item of the table or of an index that projects all attributes. */
export function fromItem(item: object): VideoRecord {
  const { pk, created_at_id, open_status, open_order, ...record } = item as Item;
  return record;
}

/** The video as it is now (strongly consistent), or undefined; one that was deleted is none. */
export async function readVideo(table: Table, id: string): Promise<VideoRecord | undefined> {
  const item = await readItem(table, id);
  return item && !isTombstone(item) ? fromItem(item) : undefined;
}

/** What now stands under the id of a video: the one given, the one that was there first, or the tombstone of a deleted one. */
export type Creation = { outcome: 'created' | 'existing'; video: VideoRecord } | { outcome: 'deleted' };

/** Writes a new video unless its id is taken. */
export async function createVideo(table: Table, video: VideoRecord): Promise<Creation> {
  const put = new PutCommand({
    TableName: table.tableName,
    Item: {
      ...video,
      pk: keys.video(video.id),
      created_at_id: timeAndId(video.created_at, video.id),
      ...openAttributes(video),
    },
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  if (await conditionally(table.client.send(put))) {
    if (isTerminal(video.status)) await table.onVideoEnded?.(video);
    return { outcome: 'created', video };
  }
  const standing = await readVideo(table, video.id);
  return standing ? { outcome: 'existing', video: standing } : { outcome: 'deleted' };
}

export interface Change {
  set?: Partial<VideoRecord>;
  remove?: readonly (keyof VideoRecord)[];
}

/** A condition on the record beside its status and run. */
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
 * Moves a video to another status: one conditional write that also appends to the timeline and keeps the indexes right. A start
 * that is taken back (`submitting → queued`) leaves the timeline as it is, and so does the next: a lane may be held for weeks, and
 * an item holds 400 KB.
 * @returns the new record, or undefined when the video is no longer as `video` says (status and run): read it again
 * @throws Error when the transition is none that a video's life has
 */
export async function changeStatus(
  table: Table,
  video: VideoRecord,
  to: Status,
  change: Change = {},
  condition?: Condition,
): Promise<VideoRecord | undefined> {
  if (!isLegalTransition(video.status, to)) {
    throw new Error(`A video can't go from ${video.status} to ${to}.`);
  }
  const open = openAttributes({ ...video, status: to });
  const isTakenBack = video.status === 'submitting' && to === 'queued';
  const isNews = !isTakenBack && video.timeline.at(-1)?.status !== to;
  const entry = { status: to, at: new Date(table.now()).toISOString() };
  const changed = await update(
    table,
    video,
    {
      set: { ...change.set, status: to, ...open },
      append: isNews ? { timeline: [entry] } : {},
      remove: [...(change.remove ?? []), ...(open.open_status ? [] : ['open_status', 'open_order'])],
    },
    condition,
  );
  if (changed && isTerminal(to)) await table.onVideoEnded?.(changed);
  return changed;
}

/**
 * Changes a video without moving it.
 * @returns the new record, or undefined when its status or run is no longer as `video` says, or the condition does not hold
 */
export const changeVideo = (
  table: Table,
  video: VideoRecord,
  change: Change,
  condition?: Condition,
): Promise<VideoRecord | undefined> => update(table, video, change, condition);

/** Counts a download of a video: 1, 2, …; no two downloads share a number, so no two share a key. */
export async function nextDownload(table: Table, id: string): Promise<number> {
  const counted = await updateItem<{ downloads: number }>(table, keys.video(id), {
    UpdateExpression: 'ADD downloads :one',
    ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(tombstone)',
    ExpressionAttributeValues: { ':one': 1 },
  });
  if (!counted) throw new Error(`The video ${id} was deleted.`);
  return counted.downloads;
}

type Given = Pick<
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
  | 'image'
  | 'audio'
  | 'estimated_cost'
>;

/** A video at the beginning of its life: waiting in its lane, or `failed` at once with the reason. */
export function newVideo(given: Given, now: number, error?: VideoRecord['error']): VideoRecord {
  const at = new Date(now).toISOString();
  const status = error ? 'failed' : 'queued';
  return {
    ...given,
    status,
    created_at: at,
    updated_at: at,
    run: 0,
    spending_month: monthOf(now),
    ...(error ? { error } : {}),
    timeline: [{ status, at }],
  };
}

/** Takes a video whose result has been written from what needs work; one that has changed since stays: its outcome may be another. */
export async function markResultWritten(table: Table, { id, status, run, updated_at }: VideoRecord): Promise<void> {
  await updateItem(table, keys.video(id), {
    UpdateExpression: 'REMOVE open_status, open_order',
    ConditionExpression: '#status = :status AND #run = :run AND updated_at = :updated_at',
    ExpressionAttributeNames: { '#status': 'status', '#run': 'run' },
    ExpressionAttributeValues: { ':status': status, ':run': run, ':updated_at': updated_at },
  });
}
