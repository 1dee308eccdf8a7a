import type { VideoRecord } from '../../video/record.ts';
import type { TaskStatus } from '../../wan/query-task.ts';

/**
 * A video's status in the reference's words. What waits here waits there as well, so that a client may still cancel it; what is
 * being archived isn't there to be fetched yet.
 */
export function taskStatus({ status, task }: Pick<VideoRecord, 'status' | 'task'>): Exclude<TaskStatus, 'UNKNOWN'> {
  switch (status) {
    case 'queued':
    case 'submitting':
      return 'PENDING';
    case 'running':
      return task?.status === 'PENDING' ? 'PENDING' : 'RUNNING';
    case 'archiving':
      return 'RUNNING';
    case 'succeeded':
      return 'SUCCEEDED';
    case 'failed':
      return 'FAILED';
    case 'canceled':
      return 'CANCELED';
  }
}

/** When a task was submitted to us, began to run at Wan, and ended; ISO 8601 UTC, and never out of order. */
export function taskTimes(video: Pick<VideoRecord, 'status' | 'task' | 'created_at' | 'timeline'>): {
  submitted: string;
  scheduled?: string;
  ended?: string;
} {
  const status = taskStatus(video);
  const submitted = video.created_at;
  const ended = ['SUCCEEDED', 'FAILED', 'CANCELED'].includes(status) ? video.timeline.at(-1)?.at : undefined;
  const scheduled = status === 'PENDING' || status === 'CANCELED' ? undefined : video.task?.scheduled_time;
  return {
    submitted,
    // Wan's clock isn't ours.
    ...(scheduled ? { scheduled: between(submitted, scheduled, ended) } : {}),
    ...(ended ? { ended } : {}),
  };
}

function between(earliest: string, time: string, latest: string | undefined): string {
  if (time < earliest) return earliest;
  return latest !== undefined && time > latest ? latest : time;
}
