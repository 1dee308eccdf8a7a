import type { APIGatewayProxyResult } from 'aws-lambda';
import { isExpired } from '../../ledger/task-lifetime.ts';
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

/** `POST /videos/{id}/retry`: 202 with the video, which is under way. @throws Problem as `retryVideo`, 412 */
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
 * Takes a failed or canceled video up again. While Wan still has it, or is at it, nothing is paid: it is fetched, or waited for.
 * Otherwise a new attempt begins, and where the last one may have been billed a warning on the video says so: it is the caller's
 * explicit wish. One that is under way already stays as it is.
 * @param precondition is asked of the video before anything is done
 * @returns the video as it now stands; when another retry was faster, as that one left it
 * @throws Problem 409 for one that has succeeded or that lacks a request Wan could be sent, 403 at the spending limit, 503 when
 * Wan does not tell whether it has the video, 404 for a video that is deleted meanwhile
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
      throw hasSucceeded(video);
    case 'queued':
      await tryDispatch(services, video);
      return existingVideo(services, video);
    default:
      return video;
  }
  if (!isWhole(video)) throw isNotRetryable(video);
  const task = await findTask(services, video);
  if (!task) await refuseOverspending(services, video.owner, video.estimated_cost);
  // What the attempt that ended still holds is its own: after the next write it would be taken for the new one's.
  await releaseAndDispatch(services, video);
  if (task) await resumeTask(services, video, task);
  else await startNewAttempt(services, video);
  return existingVideo(services, video);
}

/** Whether there is a request to be sent: a drop whose settings were refused has none. */
const isWhole = ({ model, parameters: { resolution, duration } }: VideoRecord): boolean =>
  isModelName(model) && resolution !== undefined && duration !== undefined;

/** The video's task, if Wan has made it or is at it. @throws Problem 503 when Wan does not tell: a new attempt might be paid for needlessly */
async function findTask({ table, wan }: RetryServices, { task }: VideoRecord): Promise<WanTask | undefined> {
  if (!task || isExpired(task, table.now()) || task.status === 'FAILED' || task.status === 'CANCELED') return undefined;
  const answer = await wan.queryTask(task.id);
  if (answer.outcome !== 'task') {
    throw wanUnavailable(
      'It is asked whether it still has the video, since making it anew might be paid for needlessly. Send the request again after the seconds in Retry-After.',
    );
  }
  const { status } = answer;
  return status === 'PENDING' || status === 'RUNNING' || status === 'SUCCEEDED' ? answer : undefined;
}

/** Goes on with the task that Wan has: a new execution finds it in the record and looks at it. */
async function resumeTask(services: RetryServices, video: VideoRecord, { status, usage }: WanTask): Promise<void> {
  const { table } = services;
  const isMade = status === 'SUCCEEDED';
  // A task at Wan takes a place in its lane; where none is free it runs all the same.
  if (!isMade) await claimPermit(table, services.limitsOf(video.model), video);
  const taken = await changeStatus(table, video, isMade ? 'archiving' : 'running', {
    set: {
      run: video.run + 1,
      earlier_runs: video.run,
      task: { ...video.task!, status },
      ...(isMade && usage ? { usage } : {}),
    },
    remove: ['error'],
  });
  if (!taken) return;
  // The record stands, so the sweep starts what can't be started now.
  await startWorkflow(services.workflow, taken).catch((error: unknown) => services.onDispatchError(taken, error));
}

async function startNewAttempt(services: RetryServices, video: VideoRecord): Promise<void> {
  const queued = await requeueVideo(services.table, video, { warnings: warningsOf(video) });
  if (queued) await tryDispatch(services, queued);
}

function warningsOf({ warnings, error }: VideoRecord): Warning[] {
  const known = warnings.filter(({ code }) => code !== mayBeBilledTwice.code);
  return error?.billed || known.length < warnings.length ? [...known, mayBeBilledTwice] : known;
}

const mayBeBilledTwice: Warning = {
  pointer: '',
  code: 'may_be_billed_twice',
  message:
    'An earlier attempt at this video was billed, or may have been; the new one is billed as well if it succeeds.',
};

/** What became of the video: this retry's doing, or whatever another request made of it first. */
async function existingVideo({ table }: RetryServices, { id }: VideoRecord): Promise<VideoRecord> {
  const now = await readVideo(table, id);
  if (!now) throw videoNotFound();
  return now;
}

const hasSucceeded = ({ id }: VideoRecord) =>
  new ProblemError(409, {
    code: 'video_has_succeeded',
    title: 'The video has succeeded, so there is nothing to try again.',
    detail: `GET /videos/${id}/content fetches it. POST /videos makes another one.`,
  });

const isNotRetryable = ({ error }: VideoRecord) =>
  new ProblemError(409, {
    code: 'video_not_retryable',
    title: 'The video lacks what Wan would have to be asked, so trying again would change nothing.',
    detail: error ? `${error.message} ${error.hint}` : 'Submit it anew with POST /videos.',
  });
