import { timeToLive } from '../shared/table-schema.ts';
import { keys } from '../video/keys.ts';
import type { Submission, VideoRecord } from '../video/record.ts';
import { type Condition, changeVideo } from '../video/store.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import { expiry } from './task-lifetime.ts';

/**
 * Opens the ledger for one paid call, before Wan is called (invariant 1). No two entries of a video share a number.
 * @returns the record with the open entry, or undefined when another invocation opened one since `video` was read, or it moved on
 */
export function openSubmission(table: Table, video: VideoRecord): Promise<VideoRecord | undefined> {
  const last = video.submission?.attempt;
  const submission: Submission = {
    attempt: (last ?? 0) + 1,
    state: 'open',
    sent_at: new Date(table.now()).toISOString(),
  };
  return changeVideo(
    table,
    video,
    { set: { submission } },
    last === undefined
      ? { expression: 'attribute_not_exists(submission)' }
      : {
          expression: 'submission.#state = :settled AND submission.attempt = :last',
          names: { '#state': 'state' },
          values: { ':settled': 'settled', ':last': last },
        },
  );
}

/**
 * Makes sure, right before the call, that the ledger still holds this very attempt open.
 * @returns undefined when another invocation has decided it, or the video moved on: then it must not be made
 */
export const confirmSubmission = (table: Table, video: VideoRecord): Promise<VideoRecord | undefined> =>
  changeVideo(table, video, {}, isOpen(video.submission!));

/** Writes down that the outcome of the open call is known: no task came of it. */
export const settleSubmission = (table: Table, video: VideoRecord): Promise<VideoRecord | undefined> =>
  changeOpenSubmission(table, video, { ...video.submission!, state: 'settled' });

/** Writes down since when the open call's answer is missing; the first to notice sets the time. */
export const markUncertain = (table: Table, video: VideoRecord): Promise<VideoRecord | undefined> =>
  changeOpenSubmission(table, video, { ...video.submission!, uncertain_since: new Date(table.now()).toISOString() });

const changeOpenSubmission = (table: Table, video: VideoRecord, submission: Submission) =>
  changeVideo(table, video, { set: { submission } }, isOpen(submission));

const isOpen = ({ attempt }: Submission): Condition => ({
  expression: 'submission.#state = :open AND submission.attempt = :attempt',
  names: { '#state': 'state' },
  values: { ':open': 'open', ':attempt': attempt },
});

/*
 * A claim may be forgotten after three days. Only tasks in Wan's list are looked up here, and Wan lists none that is older than 24
 * hours; a video whose answer was lost stops looking after as long. One that has expired and is still there says what it always said.
 */

/** What is known of whose a task of Wan's is. */
export interface TaskClaim {
  /** The video that owns it. */
  video_id?: string;
  /** Which paid attempt of that video it came of: one that is tried again does not take its last task for the new one. */
  attempt?: number;
  /** It could have been several videos' lost task: it is never given to one of them later, when the others have gone. */
  ambiguous?: boolean;
}

/**
 * Writes down that a task of Wan's belongs to a video, by the attempt that its ledger tells of.
 * @returns false when another video owns it, or an earlier attempt of this one
 */
export async function claimTask(
  table: Table,
  taskId: string,
  { id, submission }: Pick<VideoRecord, 'id' | 'submission'>,
): Promise<boolean> {
  const claimed = await updateItem(table, keys.task(taskId), {
    UpdateExpression: 'SET video_id = :id, attempt = :attempt, #ttl = :ttl',
    ConditionExpression: 'attribute_not_exists(video_id) OR (video_id = :id AND attempt = :attempt)',
    ExpressionAttributeNames: { '#ttl': timeToLive },
    ExpressionAttributeValues: { ':id': id, ':attempt': submission!.attempt, ':ttl': expiry(table.now()) },
  });
  return claimed !== undefined;
}

/** Writes down that nobody can tell whose task this is. */
export async function markAmbiguous(table: Table, taskId: string): Promise<void> {
  await updateItem(table, keys.task(taskId), {
    UpdateExpression: 'SET ambiguous = :true, #ttl = :ttl',
    ExpressionAttributeNames: { '#ttl': timeToLive },
    ExpressionAttributeValues: { ':true': true, ':ttl': expiry(table.now()) },
  });
}

/** Whose a task of Wan's is (strongly consistent). */
export const readTaskClaim = async (table: Table, taskId: string): Promise<TaskClaim> =>
  (await getItem<TaskClaim>(table, keys.task(taskId))) ?? {};
