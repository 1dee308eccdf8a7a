import type { VideoRecord } from '../video/record.ts';
import { readVideo, type Table } from '../video/store.ts';

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

export interface WaitOptions {
  seconds: number;
  until: (now: VideoRecord) => boolean;
  sleep: (milliseconds: number) => Promise<void>;
}
