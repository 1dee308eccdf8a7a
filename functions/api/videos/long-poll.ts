import { isTerminal, type VideoRecord } from '../../video/record.ts';
import { readVideo } from '../../video/store.ts';
import type { Table } from '../../video/table.ts';
import type { VideoView } from '../../video/view.ts';
import { headerValues, type RequestHeaders } from '../http/request.ts';

/** No request is kept open longer, in seconds: API Gateway gives up after 29. */
export const LONGEST_WAIT_SECONDS = 25;

/** Between two looks at the record, in milliseconds: the second comes soon, each pause is a little longer than the one before. */
const pause = { first: 250, longer: 50, longest: 1000 };

/**
 * Looks at a video again and again (strongly consistent) until something holds, or the time is up.
 * @param video as it was read just now; when `until` holds already, it is the answer
 * @param options.seconds how long at most; 0 doesn't wait
 * @param options.sleep waits so many milliseconds
 * @returns the video as it is at the end, or undefined when it was deleted meanwhile
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

/** What is waited for a video of which nobody knows yet when it ends, in seconds. */
const UNKNOWN_SECONDS = 5;
/** What the copy of a finished video into our bucket takes, in seconds. */
const ARCHIVING_SECONDS = 4;
/** Never asks to wait longer: a video may end sooner than was thought. */
const LONGEST_SECONDS = 30;

/**
 * `Retry-After` of a video to which something will happen still, 1 to 30 seconds: half of what is left until its expected finish,
 * or start while it waits, or a tenth of what it is late by. No header for any other.
 */
export function retryAfter(
  video: Pick<VideoView, 'status' | 'estimated_start_at' | 'estimated_finish_at' | 'updated_at'>,
  now: number,
): Record<string, string> {
  if (isTerminal(video.status)) return {};
  const news = expectedNews(video);
  const left = news === undefined ? 2 * UNKNOWN_SECONDS : (news - now) / 1000;
  const seconds = left > 0 ? left / 2 : -left / 10;
  return { 'retry-after': String(Math.ceil(Math.min(LONGEST_SECONDS, Math.max(1, seconds)))) };
}

/** Milliseconds since 1970. An estimate is of Wan's task; the archive follows it. */
function expectedNews({
  status,
  estimated_start_at,
  estimated_finish_at = estimated_start_at,
  updated_at,
}: Parameters<typeof retryAfter>[0]) {
  if (status === 'archiving') return Date.parse(updated_at) + ARCHIVING_SECONDS * 1000;
  return estimated_finish_at === undefined ? undefined : Date.parse(estimated_finish_at);
}
