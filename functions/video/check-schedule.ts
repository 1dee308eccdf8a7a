/** Wan keeps a task, and answers for it, for 24 hours after its submit. */
export const TASK_LIFETIME_SECONDS = 24 * 3600;

/** A queue of permits may ask this often in all; Wan allows 20 queries a second per account, the rest is for archiving and callers. */
const QUERIES_PER_SECOND = 15;

/** How closely a task is watched while it is likely to end, in seconds. */
const CLOSE = { shortest: 1, longest: 5 };

/** How far apart checks ever get, in seconds. */
const FARTHEST = 300;

/**
 * When to look at a task next. Nothing is asked before half of the usual time; from then until one and a half of it every few
 * seconds; after that further and further apart, a tenth of the task's age, so that even 24 hours take fewer than 400 checks.
 * @param task.submit_time ISO 8601
 * @param task.typical_seconds how long such a task usually takes
 * @param permits how many tasks may be at Wan at once, over all models
 * @param now milliseconds since 1970
 * @returns ISO 8601, on a whole second: a Wait drops milliseconds, so they are rounded up here
 */
export function nextCheck(
  task: { submit_time: string; typical_seconds: number },
  permits: number,
  now: number,
): string {
  const submitted = Date.parse(task.submit_time);
  const age = Math.max(0, (now - submitted) / 1000);
  const shared = permits / QUERIES_PER_SECOND;
  const at = (() => {
    if (age < task.typical_seconds / 2) return submitted + (task.typical_seconds / 2) * 1000;
    const close = Math.min(CLOSE.longest, Math.max(CLOSE.shortest, task.typical_seconds / 20));
    const interval = age < task.typical_seconds * 1.5 ? close : Math.min(FARTHEST, Math.max(close, age / 10));
    return now + Math.max(interval, shared) * 1000;
  })();
  return new Date(Math.ceil(at / 1000) * 1000).toISOString();
}
