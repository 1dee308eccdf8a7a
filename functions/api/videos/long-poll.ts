import { isTerminal, type VideoRecord } from '../../video/record.ts';
import { readVideo } from '../../video/store.ts';
import type { Table } from '../../video/table.ts';
import type { VideoView } from '../../video/view.ts';
import { headerValues, type RequestHeaders } from '../http/request.ts';

/** The longest that a request is kept open, in seconds: API Gateway times out after 29. */
export const LONGEST_WAIT_SECONDS = 25;

/** Pauses between two reads of the record, in milliseconds: they grow by `longer` up to `longest`. */
const pause = { first: 250, longer: 50, longest: 1000 };

/**
 * Reads a video repeatedly (strongly consistent) until a condition holds or the time is up.
 * @param video the current record; returned immediately when `until` already holds
 * @param options.seconds the longest wait; 0 does not wait
 * @returns the last record read, or undefined when the video was deleted meanwhile
 */
export async function waitForChange(
  table: Table,
  video: VideoRecord,
  { seconds, until, sleep }: WaitOptions,
): Promise<VideoRecord | undefined> {
  const deadline = table.now() + seconds * 1000;
  let now = video;
  for (let next = pause.first; !until(now); next = Math.min(pause.longest, next + pause.longer)) {
    const left = deadline - table.now();
    if (left <= 0) break;
    await sleep(Math.min(next, left));
    const read = await readVideo(table, video.id);
    if (!read) return undefined;
    now = read;
  }
  return now;
}

interface WaitOptions {
  seconds: number;
  until: (now: VideoRecord) => boolean;
  sleep: (milliseconds: number) => Promise<void>;
}

/** An element of a comma-separated list. Commas in quotes, closed or not, do not separate. */
const element = /(?:[^,"]|"(?:\\.|[^"\\])*(?:"|\\?$))+/g;

/**
 * The seconds of `Prefer: wait=N` (RFC 7240, section 4.3), reduced to at most 25. Other and invalid preferences are ignored.
 * @returns undefined without a wait
 */
export function preferredWait(request: RequestHeaders): number | undefined {
  const preferences = headerValues(request, 'prefer').flatMap((value) => value.match(element) ?? []);
  const [seconds] = preferences.flatMap((preference) => {
    const [, token, quoted] = /^\s*wait\s*=\s*(?:(\d+)|"(\d+)")\s*(?:;.*)?$/i.exec(preference) ?? [];
    return token || quoted ? [Number(token || quoted)] : [];
  });
  return seconds ? Math.min(seconds, LONGEST_WAIT_SECONDS) : undefined;
}

/** `Retry-After` of a video without an expected finish, in seconds. */
const UNKNOWN_SECONDS = 5;
/** How long archiving usually takes, in seconds. */
const ARCHIVING_SECONDS = 4;
/** The longest `Retry-After`, in seconds: a video may end sooner than expected. */
const LONGEST_SECONDS = 30;

/**
 * `Retry-After` of a video in progress, 1 to 30 seconds: half of the time left until its expected finish (or start, while queued), or a
 * tenth of the time by which it is overdue. No header for a terminal status.
 */
export function retryAfter(
  video: Pick<VideoView, 'status' | 'estimated_start_at' | 'estimated_finish_at' | 'updated_at'>,
  now: number,
): Record<string, string> {
  if (isTerminal(video.status)) return {};
  const change = expectedChange(video);
  const left = change === undefined ? 2 * UNKNOWN_SECONDS : (change - now) / 1000;
  const seconds = left > 0 ? left / 2 : -left / 10;
  return { 'retry-after': String(Math.ceil(Math.min(LONGEST_SECONDS, Math.max(1, seconds)))) };
}

/** When the next status change is expected, in milliseconds since 1970. */
function expectedChange({
  status,
  estimated_start_at,
  estimated_finish_at = estimated_start_at,
  updated_at,
}: Parameters<typeof retryAfter>[0]) {
  if (status === 'archiving') return Date.parse(updated_at) + ARCHIVING_SECONDS * 1000;
  return estimated_finish_at === undefined ? undefined : Date.parse(estimated_finish_at);
}
