import type { APIGatewayProxyResult } from 'aws-lambda';
import { writeVideoResult } from '../../drops/write-result.ts';
import { settleSpending } from '../../ledger/spending.ts';
import { deleteObjectsOf, type ObjectStores } from '../../maintenance/finish-deletions.ts';
import { type Dispatcher, releaseAndDispatch } from '../../queue/dispatch.ts';
import type { Caller } from '../../shared/caller.ts';
import { ProblemError } from '../../shared/problem.ts';
import { readTombstone, replaceWithTombstone } from '../../video/deletion.ts';
import { isVideoId } from '../../video/keys.ts';
import type { VideoRecord } from '../../video/record.ts';
import { readVideo } from '../../video/store.ts';
import { viewOf } from '../../video/view.ts';
import { ifMatch } from '../http/conditional-requests.ts';
import type { ApiRequest } from '../http/request.ts';
import { endAsCanceled } from './cancel.ts';
import { retryAfter } from './long-poll.ts';
import { MOST_READS, videoNotFound } from './own-video.ts';

export interface DeleteServices extends Dispatcher, ObjectStores {}

/**
 * `DELETE /videos/{id}`: 204 when neither its record nor an object of it is left, in any version. A waiting video is canceled by it.
 * Deleting twice is deleting once, for as long as the tombstone stands. Another owner's video, or tombstone, answers by the very
 * steps of one that never was (invariant 7).
 * @throws Problem 404; 409 while Wan or the archive is at the video; 412
 */
export async function deleteVideo(
  services: DeleteServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const id = request.pathParameters?.id ?? '';
  if (!isVideoId(id)) throw videoNotFound();
  const precondition = ifMatch(request);
  for (let looks = 0; looks < MOST_READS; looks++) {
    const video = await readVideo(services.table, id);
    if (video?.owner !== caller.owner) {
      // What a crash may have left of a deletion is deleted by its repetition.
      if ((await readTombstone(services.table, id))?.owner !== caller.owner) throw videoNotFound();
      return gone(services, id);
    }
    precondition(video);
    refuseUnderWay(video, services.table.now());
    const ended = video.source.type === 'manifest' ? await endLine(services, video) : video;
    if (!ended) continue;
    // Nobody can tell from a tombstone what was set aside for its video.
    await settleSpending(services.table, ended);
    if (!(await replaceWithTombstone(services.table, ended))) continue;
    // A video may hold its permit while it is still queued.
    await releaseAndDispatch(services, ended);
    return gone(services, id);
  }
  throw new Error(`The video ${id} moved on each of the ${MOST_READS} times that it was about to be deleted.`);
}

/**
 * Ends a manifest's line before its video is deleted: a tombstone has no result, and the manifest's summary waits for all lines.
 * @returns undefined when the video is no longer as it was read
 */
async function endLine(services: DeleteServices, video: VideoRecord): Promise<VideoRecord | undefined> {
  const ended = video.status === 'queued' ? await endAsCanceled(services, video) : video;
  if (ended) await writeVideoResult({ ...services, copyVideo: false }, ended);
  return ended;
}

async function gone(services: DeleteServices, id: string): Promise<APIGatewayProxyResult> {
  await deleteObjectsOf(services, id);
  return { statusCode: 204, headers: { 'cache-control': 'no-store' }, body: '' };
}

/** While something is under way, a record is what its outcome is written to: without it a paid video would be lost. */
function refuseUnderWay(video: VideoRecord, now: number): void {
  const refusal = refusals[video.status];
  if (refusal)
    throw new ProblemError(
      409,
      { ...refusal, detail: `${refusal.detail} ${later}` },
      retryAfter(viewOf(video, now), now),
    );
}

const later = 'GET /videos/{id}?wait=25 tells when it has ended; then send the request again.';

const refusals: Partial<Record<VideoRecord['status'], { code: string; title: string; detail: string }>> = {
  submitting: {
    code: 'video_is_starting',
    title: 'The video is being handed to Wan, so it can not be deleted now.',
    detail:
      'POST /videos/{id}/cancel stops it if Wan has not begun, and nothing is billed; after that it can be deleted.',
  },
  running: {
    code: 'video_is_running',
    title: 'The video is at Wan, so it can not be deleted now.',
    detail:
      'POST /videos/{id}/cancel stops it if Wan has not begun; after that it will be billed, deleted or not, when it is done.',
  },
  archiving: {
    code: 'video_is_archiving',
    title: 'Wan has made the video and it is being copied, so it can not be deleted now.',
    detail: 'It is billed already.',
  },
};
