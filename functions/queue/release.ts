import { settleSpending } from '../ledger/spending.ts';
import type { VideoRecord } from '../video/record.ts';
import { changeStatus, readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { ensurePermit, pauseQueue, releasePermit } from './model-queue.ts';

/**
 * Gives back what a video holds and does not use. The permit goes last: the sweep walks the permits, so whatever a crash leaves
 * unsettled is settled then. A video that is gone was settled before it was buried.
 *
 * Record and permit are two items, and the permit does not tell whose run it is for: the video may be started anew between the look at
 * its record and the release. So whoever releases looks once more, and whoever starts claims once more after its write (`carryOn`):
 * whichever comes last puts the permit back. What remains is a process that dies between its release and that look: its video
 * then runs beside the permits until the sweep, which gives every video at Wan its permit.
 * @param video the record as it was read, or undefined when it is gone
 */
export async function releaseResources(
  table: Table,
  video: VideoRecord | undefined,
  { id, model }: { id: string; model: string },
): Promise<void> {
  if (needsPermit(video)) return;
  if (video) await settleSpending(table, video);
  await releasePermit(table, model, id);
  if (needsPermit(await readVideo(table, id))) await ensurePermit(table, model, id);
}

/** Whether a video may have a task at Wan, or is about to. */
export const needsPermit = (video: VideoRecord | undefined): boolean =>
  video?.status === 'submitting' || video?.status === 'running';

/**
 * Puts a video whose task was not created back to where it was in its queue, and gives back its permit and what was reserved for it.
 * @param isBlameless whether it could not have been created for any video, so that the run does not count against this one
 * @returns false for one that moved on meanwhile: whoever moved it sees to them
 */
export async function returnToQueue(table: Table, video: VideoRecord, isBlameless: boolean): Promise<boolean> {
  const waiting = await changeStatus(table, video, 'queued', isBlameless ? { set: { earlier_runs: video.run } } : {});
  if (!waiting) return false;
  await releaseResources(table, waiting, waiting);
  return true;
}

/** Wan refuses the account, not the video: the video goes back into the queue, and the queue is paused. */
export async function pauseAndRequeue(table: Table, video: VideoRecord, reason: string): Promise<void> {
  await pauseQueue(table, video.model, reason);
  await returnToQueue(table, video, true);
}
