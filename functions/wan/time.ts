const eightHours = 8 * 60 * 60 * 1000;

/**
 * Converts a time of Wan, which is UTC+8 without an offset ("2025-09-25 11:07:28.590", reference, "Response parameters").
 * @returns ISO 8601 in UTC, or undefined for any other text
 */
export function wanTimeToIso(text: string): string | undefined {
  const parts = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(\.\d{1,3})?$/.exec(text.trim());
  if (!parts) return undefined;
  const local = `${parts[1]}T${parts[2]}${(parts[3] ?? '.').padEnd(4, '0')}Z`;
  const milliseconds = Date.parse(local);
  // Date.parse turns "02-30" into a day in March, so the result must read the same.
  if (Number.isNaN(milliseconds) || new Date(milliseconds).toISOString() !== local) return undefined;
  return new Date(milliseconds - eightHours).toISOString();
}

/**
 * The inverse of {@link wanTimeToIso}.
 * @throws RangeError for an invalid time
 */
export function isoToWanTime(iso: string): string {
  return new Date(Date.parse(iso) + eightHours).toISOString().replace('T', ' ').slice(0, -1);
}

/** A UTC time as `YYYYMMDDhhmmss`, the format of the task list's query. */
export function compactTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\D/g, '').slice(0, 14);
}

/** {@link compactTime} on a clock of UTC+8. */
export function compactWanTime(milliseconds: number): string {
  return compactTime(milliseconds + eightHours);
}
