import { isTerminal } from '../video/record.ts';
import type { VideoView } from '../video/view.ts';

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
