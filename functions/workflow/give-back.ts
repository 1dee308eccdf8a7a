import { keepPermit, releasePermit } from '../video/lane.ts';
import type { VideoRecord } from '../video/record.ts';
import { settleSpending } from '../video/spending.ts';
import { readVideo, type Table } from '../video/store.ts';

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
export async function giveBack(
  table: Table,
  video: VideoRecord | undefined,
  { id, model }: { id: string; model: string },
): Promise<void> {
  if (usesPermit(video)) return;
  if (video) await settleSpending(table, video);
  await releasePermit(table, model, id);
  if (usesPermit(await readVideo(table, id))) await keepPermit(table, model, id);
}

/** Whether a video may have a task at Wan, or is about to. */
export const usesPermit = (video: VideoRecord | undefined): boolean =>
  video?.status === 'submitting' || video?.status === 'running';
