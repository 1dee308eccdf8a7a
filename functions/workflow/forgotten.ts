import { TASK_LIFETIME_SECONDS } from '../video/check-schedule.ts';
import type { Failure, Task, VideoRecord } from '../video/record.ts';
import { explainEnding } from '../wan/errors.ts';

/** When Wan forgets a task that it was given at a time. Both ISO 8601. */
export const expiryOf = (submitted: string): string =>
  new Date(Date.parse(submitted) + TASK_LIFETIME_SECONDS * 1000).toISOString();

/** Whether Wan may have forgotten a task by now. */
export const isForgotten = (task: Pick<Task, 'expires_at'>, now: number): boolean => Date.parse(task.expires_at) <= now;

/** The ending of a video whose task Wan does not know any more: made and not copied in time, or nobody knows. */
export const explainForgotten = ({ status }: Pick<VideoRecord, 'status'>, request_id?: string): Failure =>
  explainEnding(status === 'archiving' ? 'video_lost' : 'task_expired', request_id);
