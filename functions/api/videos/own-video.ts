import type { Caller } from '../../shared/caller.ts';
import { ProblemError } from '../../shared/problem.ts';
import { isVideoId } from '../../video/keys.ts';
import type { VideoRecord } from '../../video/record.ts';
import { readVideo } from '../../video/store.ts';
import type { Table } from '../../video/table.ts';
import type { ApiRequest } from '../http/request.ts';

/**
 * The video of the path, if it is the caller's.
 * @throws Problem 404, the same for another owner's video as for one that never was (invariant 7)
 */
export async function ownVideo(
  table: Table,
  { pathParameters }: Pick<ApiRequest, 'pathParameters'>,
  { owner }: Caller,
): Promise<VideoRecord> {
  const id = pathParameters?.id ?? '';
  const video = isVideoId(id) ? await readVideo(table, id) : undefined;
  if (video?.owner === owner) return video;
  throw videoNotFound();
}

/** So often a video may move on between a look at it and the write that follows: more than its life has steps. */
export const MOST_READS = 10;

/** The one 404 for a video: another owner's, one that was deleted, one that never was. */
export const videoNotFound = () =>
  new ProblemError(404, {
    code: 'video_not_found',
    title: 'There is no such video.',
    detail: 'Check the id: it is the "id" of the answer to POST /videos. GET /videos lists yours.',
  });

/** When to ask again what Wan did not tell, in seconds. */
const RETRY_AFTER_SECONDS = 10;

/** The 503 of a route that can't go on without Wan's word. @param detail what is not known, and what that means for the caller */
export const wanUnavailable = (detail: string) =>
  new ProblemError(
    503,
    { code: 'wan_unavailable', title: 'Wan does not answer at present.', detail },
    { 'retry-after': String(RETRY_AFTER_SECONDS) },
  );
