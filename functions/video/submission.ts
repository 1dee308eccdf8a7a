import type { Submission, VideoRecord } from './record.ts';
import { changeVideo, type Table } from './store.ts';

/**
 * Opens the ledger for one paid call, before Wan is called (invariant 1).
 * @returns the record with the open entry, or undefined when another invocation holds one open, or the video moved on
 */
export function openSubmission(table: Table, video: VideoRecord): Promise<VideoRecord | undefined> {
  const submission: Submission = {
    attempt: (video.submission?.attempt ?? 0) + 1,
    state: 'open',
    sent_at: new Date(table.now()).toISOString(),
  };
  return changeVideo(
    table,
    video,
    { set: { submission } },
    {
      expression: 'attribute_not_exists(submission) OR submission.#state = :settled',
      names: { '#state': 'state' },
      values: { ':settled': 'settled' },
    },
  );
}

/** Writes down that the outcome of the open call is known: no task came of it. */
export const settleSubmission = (table: Table, video: VideoRecord): Promise<VideoRecord | undefined> =>
  changeOpenSubmission(table, video, { ...video.submission!, state: 'settled' });

/** Writes down since when the open call's answer is missing; the first to notice sets the time. */
export const markUncertain = (table: Table, video: VideoRecord): Promise<VideoRecord | undefined> =>
  changeOpenSubmission(table, video, { ...video.submission!, uncertain_since: new Date(table.now()).toISOString() });

const changeOpenSubmission = (table: Table, video: VideoRecord, submission: Submission) =>
  changeVideo(
    table,
    video,
    { set: { submission } },
    {
      expression: 'submission.#state = :open AND submission.attempt = :attempt',
      names: { '#state': 'state' },
      values: { ':open': 'open', ':attempt': submission.attempt },
    },
  );
