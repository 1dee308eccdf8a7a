import { timeToLive } from '../shared/table-schema.ts';
import { keys } from '../video/keys.ts';
import type { Submission, VideoRecord } from '../video/record.ts';
import { type Condition, changeVideo } from '../video/store.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import { itemExpiry } from './task-lifetime.ts';

/**
 * Opens a ledger entry for one paid call, before the call (invariant 1). Attempt numbers are unique per video.
 * @returns the record with the open entry, or undefined when the record has changed since `video` was read
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
 * Checks, right before the call, that the ledger still holds this attempt open.
 * @returns undefined when another invocation has settled it, or the video's status has changed: then the call must not be made
 */
export const confirmSubmission = (table: Table, video: VideoRecord): Promise<VideoRecord | undefined> =>
  changeVideo(table, video, {}, isOpen(video.submission!));

/** Settles the open attempt: it created no task. */
export const settleSubmission = (table: Table, video: VideoRecord): Promise<VideoRecord | undefined> =>
  changeOpenSubmission(table, video, { ...video.submission!, state: 'settled' });

/** Records when the response to the open attempt was lost. */
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
 * Task claims expire after three days. Only tasks in Wan's list are looked up here; Wan lists tasks for 24 hours, and the search for a
 * lost task ends after the same time.
 */

/** Which video owns one of Wan's tasks. */
export interface TaskClaim {
  /** Id of the video that owns the task. */
  video_id?: string;
  /** The attempt that created the task, so that a retried video does not adopt the task of its previous attempt. */
  attempt?: number;
  /** The task matched several uncertain videos. No video adopts it later, when the others have ended. */
  ambiguous?: boolean;
}

/**
 * Records that a task belongs to a video and to the current attempt of its ledger.
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
    ExpressionAttributeValues: { ':id': id, ':attempt': submission!.attempt, ':ttl': itemExpiry(table.now()) },
  });
  return claimed !== undefined;
}

/** Records that a task's owner cannot be determined. */
export async function markAmbiguous(table: Table, taskId: string): Promise<void> {
  await updateItem(table, keys.task(taskId), {
    UpdateExpression: 'SET ambiguous = :true, #ttl = :ttl',
    ExpressionAttributeNames: { '#ttl': timeToLive },
    ExpressionAttributeValues: { ':true': true, ':ttl': itemExpiry(table.now()) },
  });
}

/** Returns the claim of a task (strongly consistent). */
export const readTaskClaim = async (table: Table, taskId: string): Promise<TaskClaim> =>
  (await getItem<TaskClaim>(table, keys.task(taskId))) ?? {};
