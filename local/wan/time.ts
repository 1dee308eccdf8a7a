export const second = 1000;
export const hour = 3600 * second;

/** How long after its submission a task can be queried (reference, "task_id validity"). */
export const taskRetention = 24 * hour;
/** How long after the end of its task a result URL works (reference, "Result link"). */
export const linkRetention = 24 * hour;
/** How long a temporary upload can be used (facts, "Task management"). */
export const uploadRetention = 48 * hour;
/** A task without a result fails this long after its submission (facts, "Errors"). */
export const resultDeadline = 3 * hour;

const wanOffset = 8 * hour;

/** Formats a time as in responses, UTC+8 without an offset: `2025-09-25 11:07:28.590`. */
export function toWanTime(milliseconds: number): string {
  return new Date(milliseconds + wanOffset).toISOString().slice(0, 23).replace('T', ' ');
}

/** Formats the day in UTC+8 as in result URLs: `20250925`. */
export function toWanDay(milliseconds: number): string {
  return toWanTime(milliseconds).slice(0, 10).replaceAll('-', '');
}

/** Parses `YYYYMMDDhhmmss` (UTC+8), the format of the task list's filters; undefined if invalid. */
export function fromCompactWanTime(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  if (!parts) return undefined;
  const [, year, month, day, hours, minutes, seconds] = parts;
  const utc = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
  return Number.isNaN(utc) ? undefined : utc - wanOffset;
}
