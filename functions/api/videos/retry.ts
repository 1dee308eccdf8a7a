import type { APIGatewayProxyResult } from 'aws-lambda';
import { isTaskOver } from '../../ledger/task-lifetime.ts';
import { releaseAndDispatch, type SafeDispatch, tryDispatch } from '../../queue/dispatch.ts';
import { startWorkflow } from '../../queue/execution.ts';
import { claimPermit } from '../../queue/model-queue.ts';
import type { ReadQueuePosition } from '../../queue/position.ts';
import type { Caller } from '../../shared/caller.ts';
import type { Warning } from '../../shared/issues.ts';
import { ProblemError } from '../../shared/problem.ts';
import { refuseOverspending, type SpendingRules } from '../../submissions/accept-request.ts';
import { requeueVideo } from '../../submissions/restart.ts';
import type { VideoRecord } from '../../video/record.ts';
import { changeStatus, readVideo } from '../../video/store.ts';
import { viewOf } from '../../video/view.ts';
import { isModelName } from '../../wan/catalogue.ts';
import type { Task as WanTask } from '../../wan/client/query-task.ts';
import { ifMatch, type Precondition } from '../http/conditional-requests.ts';
import { type ApiRequest, json } from '../http/request.ts';
import type { ActionServices } from './cancel.ts';
import { retryAfter } from './long-poll.ts';
import { ownVideo, videoNotFound, wanUnavailable } from './own-video.ts';

export interface RetryServices extends ActionServices, SafeDispatch, SpendingRules {
  readQueuePosition: ReadQueuePosition;
}

/** `POST /videos/{id}/retry`: 202 with the restarted video. @throws ProblemError as `retryVideo`, 412 */
export async function retry(
  services: RetryServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const video = await ownVideo(services.table, request, caller);
  const current = await retryVideo(services, video, ifMatch(request));
  const view = viewOf(current, services.table.now(), await services.readQueuePosition(current));
  return json(202, view, retryAfter(view, services.table.now()));
}

/**
 * Restarts a failed or canceled video. If its task still runs or has succeeded at Wan, the video resumes and nothing more is paid.
 * Otherwise a new attempt starts; if the last one may have been billed, the video gets a warning. A video in progress is unchanged.
 * @param precondition checked before any change
 * @returns the current video; after a concurrent retry, that retry's result
 * @throws ProblemError 409 if the video has succeeded or its request is incomplete, 403 at the spending limit, 503 if Wan does not
 *   report the task's status, 404 if the video was deleted concurrently
 */
export async function retryVideo(
  services: RetryServices,
  video: VideoRecord,
  precondition: Precondition = () => undefined,
): Promise<VideoRecord> {
  precondition(video);
  switch (video.status) {
    case 'failed':
    case 'canceled':
      break;
    case 'succeeded':
      throw videoSucceeded(video);
    case 'queued':
      await tryDispatch(services, video);
      return existingVideo(services, video);
    default:
      return video;
  }
  if (!isComplete(video)) throw videoNotRetryable(video);
  const task = await findTask(services, video);
  if (!task) await refuseOverspending(services, video.owner, video.estimated_cost);
  // Before the next write, which would make the old attempt's permit and reservation the new one's.
  await releaseAndDispatch(services, video);
  if (task) await resumeTask(services, video, task);
  else await startNewAttempt(services, video);
  return existingVideo(services, video);
}

/** Whether the request is complete; that of a drop with refused settings is not. */
const isComplete = ({ model, family, parameters: { resolution, duration } }: VideoRecord): boolean =>
  isModelName(family ?? model) && resolution !== undefined && duration !== undefined;

/** Returns the video's task if it is pending, running or succeeded at Wan. @throws ProblemError 503 if its status is unknown */
async function findTask({ table, wan }: RetryServices, { task }: VideoRecord): Promise<WanTask | undefined> {
  if (!task || isTaskOver(task, table.now())) return undefined;
  const found = await wan.queryTask(task.id);
  if (found.outcome !== 'task') {
    throw wanUnavailable(
      'A new attempt could be billed although Wan still has the video, so its status is needed first. Send the request again after the seconds in Retry-After.',
    );
  }
  const { status } = found;
  return status === 'PENDING' || status === 'RUNNING' || status === 'SUCCEEDED' ? found : undefined;
}

/** Resumes the task at Wan: a new execution reads it from the record and checks it. */
async function resumeTask(services: RetryServices, video: VideoRecord, { status, usage }: WanTask): Promise<void> {
  const { table } = services;
  const isSucceeded = status === 'SUCCEEDED';
  // The task runs at Wan even if no permit is free.
  if (!isSucceeded) await claimPermit(table, await services.limitsOf(video.model), video);
  const resumed = await changeStatus(table, video, isSucceeded ? 'archiving' : 'running', {
    set: {
      run: video.run + 1,
      earlier_runs: video.run,
      task: { ...video.task!, status },
      ...(isSucceeded && usage ? { usage } : {}),
    },
    remove: ['error'],
  });
  if (!resumed) return;
  // If this fails, the sweep starts the execution.
  await startWorkflow(services.workflow, resumed).catch((error: unknown) => services.onDispatchError(resumed, error));
}

/** Queues the video for a new attempt. Attempts are numbered across retries, so no two share a number. */
async function startNewAttempt(services: RetryServices, video: VideoRecord): Promise<void> {
  const queued = await requeueVideo(services.table, video, { warnings: warningsOf(video) });
  if (queued) await tryDispatch(services, queued);
}

function warningsOf({ warnings, error }: VideoRecord): Warning[] {
  const others = warnings.filter(({ code }) => code !== mayBeBilledTwice.code);
  return error?.billed || others.length < warnings.length ? [...others, mayBeBilledTwice] : others;
}

const mayBeBilledTwice: Warning = {
  pointer: '',
  code: 'may_be_billed_twice',
  message:
    'An earlier attempt at this video was billed, or may have been; the new one is billed as well if it succeeds.',
};

/** Returns the video after this retry, or as a concurrent request left it. */
async function existingVideo({ table }: RetryServices, { id }: VideoRecord): Promise<VideoRecord> {
  const video = await readVideo(table, id);
  if (!video) throw videoNotFound();
  return video;
}

const videoSucceeded = ({ id }: VideoRecord) =>
  new ProblemError(409, {
    code: 'video_has_succeeded',
    title: 'The video has succeeded, so there is nothing to retry.',
    detail: `Get it with GET /videos/${id}/content, or create another one with POST /videos.`,
  });

const videoNotRetryable = ({ error }: VideoRecord) =>
  new ProblemError(409, {
    code: 'video_not_retryable',
    title: 'The request of this video is incomplete, so a retry cannot succeed.',
    detail: error ? `${error.message} ${error.hint}` : 'Submit it again with POST /videos.',
  });
