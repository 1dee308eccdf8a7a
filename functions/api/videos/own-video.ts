import type { Caller } from '../../shared/caller.ts';
import { ProblemError } from '../../shared/problem.ts';
import { isVideoId } from '../../video/keys.ts';
import type { VideoRecord } from '../../video/record.ts';
import { readVideo } from '../../video/store.ts';
import type { Table } from '../../video/table.ts';
import type { ApiRequest } from '../http/request.ts';

/**
 * The video named in the path, if it belongs to the caller.
 * @throws ProblemError 404, the same for another owner's video as for an unknown id (invariant 7)
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

/** How often a change of a video is retried when the record changed between read and write: more than a video has status changes. */
export const MAX_READS = 10;

/** The 404 of a video that belongs to another owner, was deleted, or never existed. */
export const videoNotFound = () =>
  new ProblemError(404, {
    code: 'video_not_found',
    title: 'There is no such video.',
    detail: 'Check the id: it is the "id" in the response of POST /videos. GET /videos lists your videos.',
  });

/** `Retry-After` when Wan does not respond, in seconds. */
const RETRY_AFTER_SECONDS = 10;

/** The 503 of a route that depends on Wan's response. @param detail what is unknown, and what the caller can do */
export const wanUnavailable = (detail: string) =>
  new ProblemError(
    503,
    { code: 'wan_unavailable', title: 'Wan does not respond at present.', detail },
    { 'retry-after': String(RETRY_AFTER_SECONDS) },
  );
