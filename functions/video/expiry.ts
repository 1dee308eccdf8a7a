import { TASK_LIFETIME_SECONDS } from './check-schedule.ts';

/** What is only about tasks that Wan still knows outlives them by two days: nothing that was true of one is forgotten too early. */
const KEPT_SECONDS = 3 * TASK_LIFETIME_SECONDS;

/** When an item about such a task may be forgotten, in seconds since 1970. @param now milliseconds since 1970 */
export const expiry = (now: number): number => Math.floor(now / 1000) + KEPT_SECONDS;
