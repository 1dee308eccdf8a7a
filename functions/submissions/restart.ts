import { isTaskOver } from '../ledger/task-lifetime.ts';
import { monthOf, type VideoRecord } from '../video/record.ts';
import { type Condition, changeStatus } from '../video/store.ts';
import type { Table } from '../video/table.ts';

/** Whether a video failed without being billed, and Wan cannot be working on it any more. */
export function failedUnbilled({ status, error, task }: VideoRecord, now: number): boolean {
  if (status !== 'failed' || error?.billed !== false) return false;
  return !task || isTaskOver(task, now);
}

/**
 * Puts an ended video back into its queue for a new attempt. Attempts are numbered across restarts, so no two share a number. Give back
 * what the video still holds first: after this write it would be taken for the new attempt's.
 * @returns undefined when the video has changed since it was read
 */
export const requeueVideo = (
  table: Table,
  video: VideoRecord,
  set: Partial<VideoRecord>,
  condition?: Condition,
): Promise<VideoRecord | undefined> => {
  const { submission } = video;
  return changeStatus(
    table,
    video,
    'queued',
    {
      set: {
        earlier_runs: video.run,
        spending_month: monthOf(table.now()),
        ...(submission ? { submission: { ...submission, state: 'settled' } } : {}),
        ...set,
      },
      // A drop whose settings no longer name a webhook has none; a retried video keeps its own.
      remove: [
        ...(['task', 'upstream_tasks', 'error', 'usage', 'cost', 'video'] as const),
        ...('webhook' in set && !set.webhook ? (['webhook'] as const) : []),
      ],
    },
    condition,
  );
};
