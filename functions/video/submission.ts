import type { Submission, VideoRecord } from './record.ts';
import { type Condition, changeVideo, type Table } from './store.ts';

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
