import type { APIGatewayProxyResult } from 'aws-lambda';
import { type Dispatcher, releaseAndDispatch } from '../../queue/dispatch.ts';
import type { Caller } from '../../shared/caller.ts';
import { ProblemError } from '../../shared/problem.ts';
import type { VideoRecord } from '../../video/record.ts';
import { type Change, type Condition, changeStatus, readVideo } from '../../video/store.ts';
import { viewOf } from '../../video/view.ts';
import type { WanClient } from '../../wan/client/client.ts';
import { explainEnding } from '../../wan/failures.ts';
import { ifMatch, type Precondition } from '../http/conditional-requests.ts';
import { type ApiRequest, json } from '../http/request.ts';
import { retryAfter } from './long-poll.ts';
import { MOST_READS, ownVideo, videoNotFound, wanUnavailable } from './own-video.ts';

/** What changing the course of a video takes. */
export interface ActionServices extends Dispatcher {
  wan: Pick<WanClient, 'cancelTask' | 'queryTask'>;
}

/** `POST /videos/{id}/cancel`: 200 with the canceled video. @throws Problem as `cancelVideo`, 412 */
export async function cancel(
  services: ActionServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const video = await ownVideo(services.table, request, caller);
  return json(200, viewOf(await cancelVideo(services, video, ifMatch(request)), services.table.now()));
}

/**
 * Cancels a video that Wan has not begun: nothing is billed for it. Its workflow is never stopped, it finds the video canceled.
 * Canceling twice is canceling once.
 * @param precondition is asked of the video, and again whenever it moved on before it could be canceled
 * @returns the canceled video
 * @throws Problem 409 that says what it is too late for, 503 when Wan does not tell whether it canceled, 404 for a video that is
 * deleted meanwhile
 */
export async function cancelVideo(
  services: ActionServices,
  video: VideoRecord,
  precondition: Precondition = () => undefined,
): Promise<VideoRecord> {
  let current: VideoRecord | undefined = video;
  for (let looks = 0; looks < MOST_READS; looks++) {
    if (!current) throw videoNotFound();
    precondition(current);
    const canceled = await attempt(services, current);
    if (canceled) return canceled;
    current = await readVideo(services.table, video.id);
  }
  throw new Error(`The video ${video.id} moved on each of the ${MOST_READS} times that it was about to be canceled.`);
}

/** @returns undefined when the video is no longer as it was read */
async function attempt(services: ActionServices, video: VideoRecord): Promise<VideoRecord | undefined> {
  switch (video.status) {
    case 'canceled':
      return video;
    case 'queued':
      return endAsCanceled(services, video);
    case 'submitting':
      if (video.submission?.state === 'open') throw isStarting(video);
      return endAsCanceled(services, video, {}, nothingIsBeingSent);
    case 'running':
      await stopTask(services, video);
      return endAsCanceled(services, video, { task: { ...video.task!, status: 'CANCELED' } });
    case 'archiving':
      throw isArchiving(video, services.table.now());
    default:
      throw hasEnded(video);
  }
}

/** Whoever sends opens the ledger by a write that demands `submitting`: once this one is through, no task can follow. */
const nothingIsBeingSent: Condition = {
  expression: 'attribute_not_exists(submission) OR submission.#state = :settled',
  names: { '#state': 'state' },
  values: { ':settled': 'settled' },
};

/** @returns undefined when the video is no longer as it was read */
export async function endAsCanceled(
  services: Dispatcher,
  video: VideoRecord,
  set: Change['set'] = {},
  condition?: Condition,
): Promise<VideoRecord | undefined> {
  const change = { set: { ...set, error: explainEnding('canceled') } };
  const canceled = await changeStatus(services.table, video, 'canceled', change, condition);
  // A video may hold its permit while it is still queued.
  if (canceled) await releaseAndDispatch(services, canceled);
  return canceled;
}

/** Returns when Wan has canceled the video's task. @throws Problem 409, 503 */
async function stopTask({ wan, table }: ActionServices, video: VideoRecord): Promise<void> {
  const { id, status } = video.task!;
  if (status === 'RUNNING') throw isRunning(video);
  const answer = await wan.cancelTask(id);
  if (answer.outcome === 'canceled') return;
  if (answer.outcome !== 'not_pending') throw wanUnavailable(mayBeCanceled);
  // A task that is canceled already is not pending either: the answer to an earlier request may have been lost.
  const task = await wan.queryTask(id);
  switch (task.outcome === 'task' && task.status) {
    case 'CANCELED':
      return;
    case 'RUNNING':
      throw isRunning(video);
    case 'SUCCEEDED':
      throw isArchiving(video, table.now());
    case 'FAILED':
      throw hasEnded(video);
    default:
      throw wanUnavailable(mayBeCanceled);
  }
}

const mayBeCanceled =
  'Wan may have canceled the task all the same. Send the request again after the seconds in Retry-After, or look at GET /videos/{id}.';

/** A call lasts seconds; finding out what became of one whose answer was lost takes two minutes. */
const STARTING_SECONDS = { sending: 2, uncertain: 15 };

const isStarting = ({ submission }: VideoRecord) =>
  new ProblemError(
    409,
    {
      code: 'video_is_starting',
      title: 'The video is being handed to Wan right now.',
      detail: submission?.uncertain_since
        ? "Wan's answer was lost, and firstframe is finding out whether it has the video. Send the request again after the seconds in Retry-After."
        : 'In a moment it is known whether Wan took it. Send the request again after the seconds in Retry-After.',
    },
    { 'retry-after': String(submission?.uncertain_since ? STARTING_SECONDS.uncertain : STARTING_SECONDS.sending) },
  );

const isRunning = ({ id, estimated_cost }: VideoRecord) => {
  const cost = estimated_cost ? `, at about ${estimated_cost.amount} ${estimated_cost.currency}` : '';
  return new ProblemError(409, {
    code: 'video_is_running',
    title: 'Wan is making the video, so it can not be canceled any more.',
    detail: `It will be billed when it is done${cost}. GET /videos/${id} tells when.`,
  });
};

const isArchiving = (video: VideoRecord, now: number) =>
  new ProblemError(
    409,
    {
      code: 'video_is_archiving',
      title: 'Wan has made the video, so it can not be canceled any more.',
      detail: `It is billed already, and is being copied. DELETE /videos/${video.id} removes it when it has succeeded.`,
    },
    retryAfter(viewOf(video, now), now),
  );

const hasEnded = ({ id, status }: VideoRecord) =>
  new ProblemError(409, {
    code: 'video_has_ended',
    title: 'The video has ended, so there is nothing to cancel.',
    detail:
      status === 'succeeded'
        ? `It has succeeded: GET /videos/${id}/content fetches it, DELETE /videos/${id} removes it.`
        : `It has failed, and its error says why: GET /videos/${id}.`,
  });
