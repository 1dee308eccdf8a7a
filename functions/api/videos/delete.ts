import type { APIGatewayProxyResult } from 'aws-lambda';
import { type FinishServices, finishVideo } from '../../drops/write-result.ts';
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
import { MAX_READS, videoNotFound } from './own-video.ts';

export interface DeleteServices extends Dispatcher, ObjectStores, Pick<FinishServices, 'publish'> {}

/**
 * `DELETE /videos/{id}`: 204 when its record and every version of its objects are gone. Cancels a queued video. Idempotent for as long as
 * the tombstone exists. Another owner's video or tombstone gets the same response, by the same steps, as an id that never existed
 * (invariant 7).
 * @throws ProblemError 404; 409 while the video is at Wan or being archived; 412
 */
export async function deleteVideo(
  services: DeleteServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const id = request.pathParameters?.id ?? '';
  if (!isVideoId(id)) throw videoNotFound();
  const precondition = ifMatch(request);
  for (let reads = 0; reads < MAX_READS; reads++) {
    const video = await readVideo(services.table, id);
    if (video?.owner !== caller.owner) {
      // A repeated request completes a deletion that a crash interrupted.
      if ((await readTombstone(services.table, id))?.owner !== caller.owner) throw videoNotFound();
      return deleteMedia(services, id);
    }
    precondition(video);
    refuseUnderWay(video, services.table.now());
    const ended = await endVideo(services, video);
    if (!ended) continue;
    // A tombstone does not hold the video's spending reservation.
    await settleSpending(services.table, ended);
    if (!(await replaceWithTombstone(services.table, ended))) continue;
    // A queued video may already hold a permit.
    await releaseAndDispatch(services, ended);
    return deleteMedia(services, id);
  }
  throw new Error(`The video ${id} changed during each of ${MAX_READS} attempts to delete it.`);
}

/**
 * Ends a queued video, and does what remains after the end of a video, before it is deleted: a tombstone has no event to publish and no
 * result to write, and the summary of a manifest waits for all lines.
 * @returns undefined when the video changed since it was read
 */
async function endVideo(services: DeleteServices, video: VideoRecord): Promise<VideoRecord | undefined> {
  const ended = video.status === 'queued' ? await endAsCanceled(services, video) : video;
  if (!ended) return undefined;
  await services.publish(ended);
  if (ended.source.type === 'manifest') await finishVideo({ ...services, copyVideo: false }, ended);
  return ended;
}

async function deleteMedia(services: DeleteServices, id: string): Promise<APIGatewayProxyResult> {
  await deleteObjectsOf(services, id);
  return { statusCode: 204, headers: { 'cache-control': 'no-store' }, body: '' };
}

/** @throws ProblemError 409 while the video is in progress: without a record, its outcome could not be stored, and a paid video would be lost */
function refuseUnderWay(video: VideoRecord, now: number): void {
  const refusal = refusals[video.status];
  if (refusal)
    throw new ProblemError(
      409,
      { ...refusal, detail: `${refusal.detail} ${later}` },
      retryAfter(viewOf(video, now), now),
    );
}

const later = 'Wait for its end with GET /videos/{id}?wait=25, then send the request again.';

const refusals: Partial<Record<VideoRecord['status'], { code: string; title: string; detail: string }>> = {
  submitting: {
    code: 'video_is_starting',
    title: 'The video is being submitted to Wan, so it cannot be deleted now.',
    detail:
      'POST /videos/{id}/cancel stops it if Wan has not started it, and nothing is billed. Then it can be deleted.',
  },
  running: {
    code: 'video_is_running',
    title: 'Wan is generating the video, so it cannot be deleted now.',
    detail: 'POST /videos/{id}/cancel stops it if Wan has not started it. Otherwise it is billed when it is done.',
  },
  archiving: {
    code: 'video_is_archiving',
    title: 'Wan has generated the video and it is being archived, so it cannot be deleted now.',
    detail: 'It has been billed.',
  },
};
