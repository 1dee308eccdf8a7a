import type { DurationEstimate } from './duration-estimate.ts';

/** How long after that a task may still be called pending or running before nobody waits for it any more. */
const GRACE_SECONDS = 10 * 60;

/** Step Functions waits for whole seconds, so that is as close as checks get. */
const CLOSEST = 1;

/** How far apart checks are while a task may well end, and how far they ever get, in seconds. */
const FARTHEST = { likely: 15, late: 900 };

/**
 * A task that is watched alone pays for each look by itself: until half of its kind are done it is asked every 3.5 s at the most, after
 * that whenever one in seven of those that are left would have ended. So half of all endings are noticed within 3 s, at less than half
 * of the questions of a client that asks every 5 s (`npm run bench -- polling`).
 */
const ALONE = { farthest: 3.5, parts: 7 };

/**
 * Checks lie as far apart as this many times the square root of the seconds per ending that the hazard foretells: of all schedules
 * with as many checks it is the one that notices an ending soonest on average. One among many costs no question to Wan, but
 * reads a look that is a little old, so it comes more often.
 */
const CLOSENESS: Record<Company, number> = { none: 0.37, few: 0.47, many: 0.18 };

/** Once nearly all of its kind are done, a task is asked for whenever it is this part older. */
const LATE_SHARE = 20;

/** What is slow for its kind is still one of many: a question for each would take the turns of those that are about to end. */
const LATE_TIMES = 4;

/** So much of an interval is left to chance, so that tasks that began together are not asked for together for ever. */
const JITTER = 0.2;

/**
 * Whether looks through Wan's list serve a model's tasks: none, each is asked for by itself; or a few, whose checks fall on the same
 * seconds, so that one look serves them all; or many, whose checks are spread, so that they do not all run at once.
 */
export type Company = 'none' | 'few' | 'many';

interface Moment {
  /** Milliseconds since 1970. */
  now: number;
  company: Company;
  /** From 0 up to, not including, 1. */
  random: () => number;
}

/**
 * When to look at a task next. First when one in ten such tasks would be done; then by how likely it is to end soon; once nineteen
 * in twenty would be done, further and further apart: a twentieth of the task's age, so that even 24 hours take fewer than 400
 * checks, which is 3,600 of the 25,000 events that an execution's history holds. Never later than the deadline.
 * @param task ISO 8601
 * @returns ISO 8601, on a whole second: a Wait drops milliseconds
 */
export function nextCheck(
  task: { submit_time: string; expires_at?: string },
  estimate: DurationEstimate,
  { now, company, random }: Moment,
): string {
  const submitted = Date.parse(task.submit_time);
  const first = submitted + estimate.earliest_seconds * 1000;
  const deadline = task.expires_at === undefined ? Number.POSITIVE_INFINITY : deadlineOf(task.expires_at);
  if (now < first) return wholeSecond(Math.ceil(Math.min(first, deadline) / 1000));
  const interval = intervalAt(Math.max(CLOSEST, (now - submitted) / 1000), estimate, company);
  if (company === 'few' && !isLate(task, estimate, now))
    return wholeSecond(Math.min(commonSecond(now / 1000, interval), deadline / 1000));
  const at = Math.min(now / 1000 + interval * (1 - JITTER / 2 + JITTER * random()), deadline / 1000);
  // What is rounded down here is rounded up next time: rounding up alone would make all intervals half a second longer.
  return wholeSecond(Math.max(Math.round(at), Math.floor(now / 1000) + CLOSEST));
}

/** The next multiple of 1, 2, 4, … seconds, whichever is nearest below the interval: checks of different intervals meet there. */
function commonSecond(now: number, interval: number): number {
  const step = 2 ** Math.floor(Math.log2(interval));
  return (Math.floor(now / step) + 1) * step;
}

/** Whether it is so late that a task that Wan still calls pending or running is given up. @param now milliseconds since 1970 */
export const isPastDeadline = (task: { expires_at: string }, now: number): boolean =>
  now >= deadlineOf(task.expires_at);

/** Whether a task takes far longer than nearly all of its kind: then it is asked for by itself, whatever a shared look says. */
export const isLate = (task: { submit_time: string }, { latest_seconds }: DurationEstimate, now: number): boolean =>
  now - Date.parse(task.submit_time) > LATE_TIMES * latest_seconds * 1000;

/**
 * Seconds to the next check. Durations are taken to be log-logistic: as a log-normal, but for a heavier tail and a hazard that needs
 * no error function, `steepness × F(age) / age`.
 */
function intervalAt(age: number, { typical_seconds, steepness, latest_seconds }: DurationEstimate, company: Company) {
  const isAlone = company === 'none';
  const done = 1 / (1 + (age / typical_seconds) ** -steepness);
  const likely = isAlone && age <= typical_seconds ? ALONE.farthest : FARTHEST.likely;
  const close = clamp(CLOSENESS[company] * Math.sqrt(age / (steepness * done)), CLOSEST, likely);
  if (age > latest_seconds) return clamp(age / LATE_SHARE, close, FARTHEST.late);
  return isAlone && age > typical_seconds ? Math.max(close, age / (ALONE.parts * steepness)) : close;
}

const deadlineOf = (expiresAt: string): number => Date.parse(expiresAt) + GRACE_SECONDS * 1000;

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

const wholeSecond = (seconds: number): string => new Date(Math.ceil(seconds) * 1000).toISOString();
