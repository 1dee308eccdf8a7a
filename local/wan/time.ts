export const second = 1000;
export const hour = 3600 * second;

/** A task id can be asked about this long after the submit; reference, "task_id validity". */
export const taskRetention = 24 * hour;
/** A result URL works this long after the task's end; reference, "Result link". */
export const linkRetention = 24 * hour;
/** A temporary upload can be used this long; facts, "Task management". */
export const uploadRetention = 48 * hour;
/** A task without a result this long after the submit fails; facts, "Errors". */
export const resultDeadline = 3 * hour;

const wanOffset = 8 * hour;

/** `2025-09-25 11:07:28.590`: a time as answers carry it, UTC+8 without an offset. */
export function toWanTime(milliseconds: number): string {
  return new Date(milliseconds + wanOffset).toISOString().slice(0, 23).replace('T', ' ');
}

/** `20250925`: the day in UTC+8, as result URLs carry it. */
export function toWanDay(milliseconds: number): string {
  return toWanTime(milliseconds).slice(0, 10).replaceAll('-', '');
}

/** Reads `YYYYMMDDhhmmss` (UTC+8), the form the task list's filters take; undefined when it is none. */
export function fromCompactWanTime(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  if (!parts) return undefined;
  const [, year, month, day, hours, minutes, seconds] = parts;
  const utc = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
  return Number.isNaN(utc) ? undefined : utc - wanOffset;
}
