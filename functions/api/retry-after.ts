import { isTerminal, type VideoRecord } from '../video/record.ts';

/** What is waited for a video of which nobody knows yet when it ends, in seconds. */
const UNKNOWN_SECONDS = 5;
/** Never asks to wait longer: a video may end sooner than was thought. */
const LONGEST_SECONDS = 30;

/** `Retry-After` of a video to which something will happen still: half of what is left, 1 to 30 seconds. No header for any other. */
export function retryAfter(
  { status, estimated_finish_at }: Pick<VideoRecord, 'status' | 'estimated_finish_at'>,
  now: number,
): Record<string, string> {
  if (isTerminal(status)) return {};
  const half = estimated_finish_at ? (Date.parse(estimated_finish_at) - now) / 2000 : UNKNOWN_SECONDS;
  return { 'retry-after': String(Math.ceil(Math.min(LONGEST_SECONDS, Math.max(1, half)))) };
}
