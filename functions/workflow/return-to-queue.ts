import { holdLane } from '../video/lane.ts';
import type { VideoRecord } from '../video/record.ts';
import { changeStatus, type Table } from '../video/store.ts';
import { giveBack } from './give-back.ts';

/** How long a lane waits before it tries again what Wan refused for the account's sake (a wrong key, arrears). */
const HOLD_SECONDS = 60;

/**
 * Puts a video whose task was not created back to where it was in its queue, and gives back its permit and what was reserved for it.
 * @returns false for one that moved on meanwhile: whoever moved it sees to them
 */
export async function returnToQueue(table: Table, video: VideoRecord): Promise<boolean> {
  const waiting = await changeStatus(table, video, 'queued');
  if (!waiting) return false;
  await giveBack(table, waiting, waiting);
  return true;
}

/** Wan refuses the account, not the video: the video goes back into the queue, and its lane waits. */
export async function holdBack(table: Table, video: VideoRecord, reason: string): Promise<void> {
  await holdLane(table, video.model, reason, new Date(table.now() + HOLD_SECONDS * 1000).toISOString());
  await returnToQueue(table, video);
}
