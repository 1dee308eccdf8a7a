import { wanTimeToIso } from '../../wan/time.ts';
import { Refusal } from './refusal.ts';

/** ISO 8601 UTC, both ends included. */
export interface TimeRange {
  start: string;
  end: string;
}

const day = 24 * 60 * 60 * 1000;

/**
 * The time that a list is asked for: `start_time` to `end_time`, at most 24 hours; what is left out follows from the other, or is
 * the last 24 hours. No source says on which clock the query's times are: they are read as all other times of the reference, UTC+8.
 * @throws Refusal for a time that can't be read, and for a range that is too long or ends before it starts
 */
export function readTimeRange(query: { start_time?: string; end_time?: string }, now: number): TimeRange {
  const [start, end] = [readTime('start_time', query.start_time), readTime('end_time', query.end_time)];
  const last = end ?? (start === undefined ? now : start + day);
  const first = start ?? last - day;
  if (last < first || last - first > day) {
    throw new Refusal('InvalidParameter', 'end_time must be after start_time, and at most 24 hours after it.');
  }
  // A query names whole seconds: what was made in the last one belongs to it.
  return { start: new Date(first).toISOString(), end: new Date(end === undefined ? last : last + 999).toISOString() };
}

function readTime(name: string, text: string | undefined): number | undefined {
  if (!text) return undefined;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  const [, year, month, date, hours, minutes, seconds] = parts ?? [];
  const iso = parts && wanTimeToIso(`${year}-${month}-${date} ${hours}:${minutes}:${seconds}`);
  // The years that the table's times can be compared in.
  if (iso && /^[1-9]\d{3}-/.test(iso)) return Date.parse(iso);
  throw new Refusal('InvalidParameter', `${name} must be a time of the form YYYYMMDDhhmmss.`);
}
