import type { Failure, Task, VideoRecord } from '../video/record.ts';
import { explainEnding } from '../wan/failures.ts';

/** Wan keeps a task and its video for 24 hours after the submission. */
const TASK_LIFETIME_SECONDS = 24 * 3600;

/** Items about a task outlive it by two days, so that they never expire too early. */
const KEPT_SECONDS = 3 * TASK_LIFETIME_SECONDS;

/** Returns the time to live of an item about a task, in seconds since 1970. @param now milliseconds since 1970 */
export const itemExpiry = (now: number): number => Math.floor(now / 1000) + KEPT_SECONDS;

/** Returns when Wan deletes a task that was submitted at a time. Both are ISO 8601. */
export const taskExpiry = (submitted: string): string =>
  new Date(Date.parse(submitted) + TASK_LIFETIME_SECONDS * 1000).toISOString();

/** Whether Wan may have deleted the task. */
export const isExpired = (task: Pick<Task, 'expires_at'>, now: number): boolean => Date.parse(task.expires_at) <= now;

/** Whether a task failed, was canceled or may have been deleted, so that it gives no video any more. */
export const isTaskOver = (task: Pick<Task, 'expires_at' | 'status'>, now: number): boolean =>
  isExpired(task, now) || task.status === 'FAILED' || task.status === 'CANCELED';

/** How long a task may stay PENDING or RUNNING after its expiry before its video fails. */
const GRACE_SECONDS = 10 * 60;

/** Returns when the video of a task that is still PENDING or RUNNING fails. @param expiresAt ISO 8601 @returns milliseconds since 1970 */
export const deadlineOf = (expiresAt: string): number => Date.parse(expiresAt) + GRACE_SECONDS * 1000;

/** Returns the failure of a video whose task has expired: `video_lost` when it had succeeded, else `task_expired`. */
export const expiredFailure = ({ status }: Pick<VideoRecord, 'status'>, request_id?: string): Failure =>
  explainEnding(status === 'archiving' ? 'video_lost' : 'task_expired', request_id);
