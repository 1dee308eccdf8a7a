import type { Failure, Task, VideoRecord } from '../video/record.ts';
import { explainEnding } from '../wan/failures.ts';

/** Wan keeps a task, and answers for it, for 24 hours after its submit. */
const TASK_LIFETIME_SECONDS = 24 * 3600;

/** What is only about tasks that Wan still knows outlives them by two days: nothing that was true of one is forgotten too early. */
const KEPT_SECONDS = 3 * TASK_LIFETIME_SECONDS;

/** When an item about such a task may be forgotten, in seconds since 1970. @param now milliseconds since 1970 */
export const expiry = (now: number): number => Math.floor(now / 1000) + KEPT_SECONDS;

/** When Wan forgets a task that it was given at a time. Both ISO 8601. */
export const expiryOf = (submitted: string): string =>
  new Date(Date.parse(submitted) + TASK_LIFETIME_SECONDS * 1000).toISOString();

/** Whether Wan may have forgotten a task by now. */
export const isExpired = (task: Pick<Task, 'expires_at'>, now: number): boolean => Date.parse(task.expires_at) <= now;

/** How long after that a task may still be called pending or running before it is given up. */
const GRACE_SECONDS = 10 * 60;

/** When a task that Wan still calls pending or running is given up. @param expiresAt ISO 8601 @returns milliseconds since 1970 */
export const deadlineOf = (expiresAt: string): number => Date.parse(expiresAt) + GRACE_SECONDS * 1000;

/** The ending of a video whose task Wan does not know any more: made and not copied in time, or nobody knows. */
export const expiredFailure = ({ status }: Pick<VideoRecord, 'status'>, request_id?: string): Failure =>
  explainEnding(status === 'archiving' ? 'video_lost' : 'task_expired', request_id);
