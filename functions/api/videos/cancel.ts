import type { APIGatewayProxyResult } from 'aws-lambda';
import { type Dispatcher, releaseAndDispatch } from '../../queue/dispatch.ts';
import type { Caller } from '../../shared/caller.ts';
import { ProblemError } from '../../shared/problem.ts';
import type { VideoRecord } from '../../video/record.ts';
import { type Change, type Condition, changeStatus, changeVideo, readVideo } from '../../video/store.ts';
import { viewOf } from '../../video/view.ts';
import type { WanClient } from '../../wan/client/client.ts';
import { explainEnding } from '../../wan/failures.ts';
import { ifMatch, type Precondition } from '../http/conditional-requests.ts';
import { type ApiRequest, json } from '../http/request.ts';
import { retryAfter } from './long-poll.ts';
import { MAX_READS, ownVideo, videoNotFound, wanUnavailable } from './own-video.ts';

/** What canceling and retrying use. */
export interface ActionServices extends Dispatcher {
  wan: Pick<WanClient, 'cancelTask' | 'queryTask'>;
}

/** `POST /videos/{id}/cancel`: 200 with the canceled video. @throws ProblemError as `cancelVideo`, 412 */
export async function cancel(
  services: ActionServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const video = await ownVideo(services.table, request, caller);
  return json(200, viewOf(await cancelVideo(services, video, ifMatch(request)), services.table.now()));
}

/**
 * Cancels a video that Wan has not started: nothing is billed. The execution is not stopped; it finds the video canceled. Idempotent.
 * @param precondition checked against the video, and again each time the video changed before it could be canceled
 * @returns the canceled video
 * @throws ProblemError 409 when it is too late, 503 when Wan does not confirm the cancellation, 404 for a video that was deleted meanwhile
 */
export async function cancelVideo(
  services: ActionServices,
  video: VideoRecord,
  precondition: Precondition = () => undefined,
): Promise<VideoRecord> {
  let current: VideoRecord | undefined = video;
  for (let reads = 0; reads < MAX_READS; reads++) {
    if (!current) throw videoNotFound();
    precondition(current);
    const canceled = await attempt(services, current);
    if (canceled) return canceled;
    current = await readVideo(services.table, video.id);
  }
  throw new Error(`The video ${video.id} changed during each of ${MAX_READS} attempts to cancel it.`);
}

/** @returns undefined when the video changed since it was read */
async function attempt(services: ActionServices, video: VideoRecord): Promise<VideoRecord | undefined> {
  switch (video.status) {
    case 'canceled':
      return video;
    case 'queued':
      return endAsCanceled(services, video);
    case 'submitting':
      if (video.submission?.state === 'open') throw isStarting(video);
      return endAsCanceled(services, video, {}, noOpenSubmission);
    case 'running':
      await stopTask(services, video);
      return endAsCanceled(services, video, { task: { ...video.task!, status: 'CANCELED' } });
    case 'archiving':
      throw isArchiving(video, services.table.now());
    default:
      throw hasEnded(video);
  }
}

/** CreateTask opens the ledger with a write that requires `submitting`: after this conditional write no task can be created. */
const noOpenSubmission: Condition = {
  expression: 'attribute_not_exists(submission) OR submission.#state = :settled',
  names: { '#state': 'state' },
  values: { ':settled': 'settled' },
};

/** @returns undefined when the video changed since it was read */
export async function endAsCanceled(
  services: Dispatcher,
  video: VideoRecord,
  set: Change['set'] = {},
  condition?: Condition,
): Promise<VideoRecord | undefined> {
  const change = { set: { ...set, error: explainEnding('canceled') } };
  const canceled = await changeStatus(services.table, video, 'canceled', change, condition);
  // A queued video may already hold a permit.
  if (canceled) await releaseAndDispatch(services, canceled);
  return canceled;
}

/** Returns when Wan has canceled the video's task. @throws ProblemError 409, 503 */
async function stopTask({ wan, table }: ActionServices, video: VideoRecord): Promise<void> {
  const { id, status } = video.task!;
  if (status === 'RUNNING') throw isRunning(video);
  const response = await wan.cancelTask(id);
  if (response.outcome === 'canceled') return;
  if (response.outcome !== 'not_pending') throw wanUnavailable(mayBeCanceled);
  // A task that is already canceled is not pending either: the response to an earlier request may have been lost.
  const task = await wan.queryTask(id);
  switch (task.outcome === 'task' && task.status) {
    case 'CANCELED':
      return;
    case 'RUNNING':
      // Recorded, so that clients no longer offer to cancel it.
      await changeVideo(table, video, { set: { task: { ...video.task!, status: 'RUNNING' } } });
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
  'Wan may have canceled the task. Send the request again after the seconds in Retry-After, or read GET /videos/{id}.';

/** A call takes seconds; resolving a lost response takes two minutes. */
const STARTING_SECONDS = { sending: 2, uncertain: 15 };

const isStarting = ({ submission }: VideoRecord) =>
  new ProblemError(
    409,
    {
      code: 'video_is_starting',
      title: 'The video is being submitted to Wan.',
      detail: submission?.uncertain_since
        ? "Wan's response was lost, and firstframe is checking whether a task exists. Send the request again after the seconds in Retry-After."
        : 'Send the request again after the seconds in Retry-After.',
    },
    { 'retry-after': String(submission?.uncertain_since ? STARTING_SECONDS.uncertain : STARTING_SECONDS.sending) },
  );

const isRunning = ({ id, estimated_cost }: VideoRecord) => {
  const cost = estimated_cost ? `, at about ${estimated_cost.amount} ${estimated_cost.currency}` : '';
  return new ProblemError(409, {
    code: 'video_is_running',
    title: 'Wan is generating the video, so it can no longer be canceled.',
    detail: `It will be billed when it is done${cost}. GET /videos/${id} shows its progress.`,
  });
};

const isArchiving = (video: VideoRecord, now: number) =>
  new ProblemError(
    409,
    {
      code: 'video_is_archiving',
      title: 'Wan has generated the video, so it can no longer be canceled.',
      detail: `It has been billed and is being archived. DELETE /videos/${video.id} removes it after it has succeeded.`,
    },
    retryAfter(viewOf(video, now), now),
  );

const hasEnded = ({ id, status }: VideoRecord) =>
  new ProblemError(409, {
    code: 'video_has_ended',
    title: 'The video has ended, so there is nothing to cancel.',
    detail:
      status === 'succeeded'
        ? `It has succeeded: fetch it with GET /videos/${id}/content, or remove it with DELETE /videos/${id}.`
        : `It has failed: GET /videos/${id} shows the error.`,
  });
