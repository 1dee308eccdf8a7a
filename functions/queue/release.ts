import { settleSpending } from '../ledger/spending.ts';
import type { VideoRecord } from '../video/record.ts';
import { changeStatus, readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { ensurePermit, pauseQueue, releasePermit } from './model-queue.ts';

/**
 * Settles the cost of a video that needs no permit and releases its permit. The permit comes last: the sweep goes through the permits,
 * so it settles what a crash left. A deleted video was settled before its deletion.
 *
 * Record and permit are separate items, and the video may be started again between reading the record and releasing the permit. So
 * this function reads the record again after the release, and `startQueued` adds the permit again after its write; the later of the
 * two restores the permit. After a crash between release and second read the video lacks its permit until the sweep restores it.
 * @param video the record as it was read, or undefined when it was deleted
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

/** Whether a video has, or is about to create, a task at Wan. */
export const needsPermit = (video: VideoRecord | undefined): boolean =>
  video?.status === 'submitting' || video?.status === 'running';

/**
 * Returns a video without a task to its position in the queue, and releases its permit and its reserved cost.
 * @param isBlameless whether the cause is not the video's, so that the run does not count against it
 * @returns false when the video's status or run has changed; the process that changed it releases both
 */
export async function returnToQueue(table: Table, video: VideoRecord, isBlameless: boolean): Promise<boolean> {
  const waiting = await changeStatus(table, video, 'queued', isBlameless ? { set: { earlier_runs: video.run } } : {});
  if (!waiting) return false;
  await releaseResources(table, waiting, waiting);
  return true;
}

/** Pauses the queue and returns the video to it, because Wan refuses the account rather than the video. */
export async function pauseAndRequeue(table: Table, video: VideoRecord, reason: string): Promise<void> {
  await pauseQueue(table, video.model, reason);
  await returnToQueue(table, video, true);
}
