import { headerValues, type RequestHeaders } from './http.ts';
import { LONGEST_WAIT_SECONDS } from './wait-for-change.ts';

/** What stands between two commas of a list; a comma in quotes separates nothing, in quotes that never end neither. */
const element = /(?:[^,"]|"(?:\\.|[^"\\])*(?:"|\\?$))+/g;

/**
 * The seconds for which a caller would rather wait than ask again: `Prefer: wait=N` (RFC 7240, section 4.3), at most 25, however
 * many are asked for. A preference that makes no sense is ignored, as all others are.
 * @returns undefined where there is nothing to wait for
 */
export function preferredWait(request: RequestHeaders): number | undefined {
  const preferences = headerValues(request, 'prefer').flatMap((value) => value.match(element) ?? []);
  const [seconds] = preferences.flatMap((preference) => {
    const [, token, quoted] = /^\s*wait\s*=\s*(?:(\d+)|"(\d+)")\s*(?:;.*)?$/i.exec(preference) ?? [];
    return token || quoted ? [Number(token || quoted)] : [];
  });
  return seconds ? Math.min(seconds, LONGEST_WAIT_SECONDS) : undefined;
}
