import { acquirePromptLock, escalatePromptLock, isPromptLocked, releasePromptLock } from '../ledger/prompt-lock.ts';
import { releaseSpending, reserveSpending, settleSpending } from '../ledger/spending.ts';
import { confirmSubmission, markUncertain, openSubmission, settleSubmission } from '../ledger/submission.ts';
import { expiredFailure } from '../ledger/task-lifetime.ts';
import { type Dispatcher, dispatchNext } from '../queue/dispatch.ts';
import type { WorkflowInput } from '../queue/execution.ts';
import { resumeQueue } from '../queue/model-queue.ts';
import { pauseAndRequeue } from '../queue/release.ts';
import { reserveSubmitSlot, slowDown } from '../queue/submit-rate.ts';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import type { Failure, VideoRecord } from '../video/record.ts';
import { readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { AccountRefused } from '../wan/client/rejections.ts';
import { explainEnding, explainFailure } from '../wan/failures.ts';
import type { MediaItem } from '../wan/media.ts';
import { type AdoptServices, adoptTask, waitForTask } from './adopt-task.ts';
import type { MediaMissing, MediaTransfer } from './media-urls.ts';
import { type ReconcileServices, reconcile } from './reconcile.ts';
import type { CreateTaskOutput } from './step-handler.ts';
import { taskRequestOf } from './task-request.ts';

/**
 * A call to Wan ends at most this long after its ledger entry, even if the invocation was delayed. A lost task is searched for longer
 * (`uncertainSeconds`) before the request is sent again. The client's own timeout is 75 s.
 */
const CALL_DEADLINE_MILLISECONDS = 80_000;

export interface CreateTaskServices extends AdoptServices, Dispatcher {
  wan: WanClient;
  resolveMediaUrls: (
    video: VideoRecord,
    transfer: MediaTransfer,
  ) => Promise<MediaItem[] | AccountRefused | MediaMissing>;
  mediaTransfer: MediaTransfer;
  /** How long a task whose response was lost is searched for before the request is sent again. */
  uncertainSeconds: number;
  onAmbiguous: ReconcileServices['onAmbiguous'];
  /** What an owner may spend in a calendar month, in the region's currency. */
  monthlySpendingLimit: number | undefined;
  sleep: (milliseconds: number) => Promise<void>;
}

/**
 * Makes sure that a video has exactly one task at Wan. Idempotent per run, and safe against a crash at any point: the ledger records
 * that a paid task may exist (invariant 1).
 * @throws WorkflowError that the state machine retries: wanThrottled, wanUnavailable, submissionUncertain, promptLocked
 */
export async function createTask(services: CreateTaskServices, input: WorkflowInput): Promise<CreateTaskOutput> {
  const video = await readVideo(services.table, input.id);
  if (!video || video.run !== input.run) return settled(input);
  if (video.task) return waitForTask(services, { ...video, task: video.task });
  if (video.status !== 'submitting') {
    // An invocation that crashed may have reserved spending after the video ended.
    await settleSpending(services.table, video);
    return settled(input);
  }
  if (video.submission?.state === 'open') return resolveLostResponse(services, video);
  return submit(services, video, services.mediaTransfer);
}

/** Calls Wan's create route once. Before the call it writes the ledger entry and reserves the cost (invariants 1 and 8). */
async function submit(
  services: CreateTaskServices,
  video: VideoRecord,
  transfer: MediaTransfer,
): Promise<CreateTaskOutput> {
  const { table, wan } = services;
  const media = await services.resolveMediaUrls(video, transfer);
  if (!Array.isArray(media))
    return media.outcome === 'gone'
      ? failed(video, explainEnding('image_gone'))
      : pauseAndSettle(services, video, media.reason);
  const request = taskRequestOf(video, media);
  if (await isPromptLocked(table, video)) throw promptLocked();
  const slot = await reserveSubmitSlot(table, await services.limitsOf(video.model));
  await services.sleep(slot - table.now());
  const opened = await openSubmission(table, video);
  if (!opened) throw uncertain('another invocation is submitting this video, or its status has changed');
  if (!(await acquirePromptLock(table, opened))) {
    await settleSubmission(table, opened);
    throw promptLocked();
  }
  if (!(await reserveSpending(table, opened, services.monthlySpendingLimit))) {
    const withdrawn = await withdraw(table, opened);
    if (!withdrawn) throw uncertain('another invocation has settled this attempt');
    return failed(withdrawn, explainEnding('spending_limit_reached'));
  }
  // This invocation may have been frozen meanwhile: another one may have submitted the video, or it was canceled or deleted.
  if (!(await confirmSubmission(table, opened))) {
    await releaseSpending(table, opened);
    throw uncertain("another invocation has settled this attempt, or the video's status has changed");
  }
  const response = await wan.createTask(request, callTimeout(opened, table.now()));
  switch (response.outcome) {
    case 'created': {
      const output = await adoptOrThrow(services, opened, {
        id: response.task_id,
        status: response.task_status,
        request_id: response.request_id,
        submit_time: opened.submission!.sent_at,
      });
      if (await resumeQueue(table, opened.model)) await dispatchNext(services, opened.model);
      return output;
    }
    case 'unknown':
      await escalatePromptLock(table, opened);
      await markUncertain(table, opened);
      throw uncertain(`Wan's response was lost (${response.cause})`);
  }
  // Every other outcome means that Wan created no task.
  const withdrawn = (await withdraw(table, opened)) ?? opened;
  switch (response.outcome) {
    case 'throttled': {
      const slowdown = await slowDown(table, opened.model);
      if (slowdown) services.recordMetric('SubmitSlowdown', slowdown, { model: opened.model });
      throw new WorkflowError(errorNames.wanThrottled, `Wan is throttling: ${response.code}`);
    }
    case 'unavailable':
      throw new WorkflowError(errorNames.wanUnavailable, `Wan is unavailable: ${response.cause}`);
    case 'account_refused':
      return pauseAndSettle(services, withdrawn, response.reason);
    case 'refused':
      if (response.reason === 'image_download' && transfer === 'url' && withdrawn.input.media.some(({ file }) => file))
        return submit(services, withdrawn, 'upload');
      return failed(withdrawn, explainFailure({ ...response, stage: 'submit' }));
  }
}

/**
 * Settles an attempt that created no task and releases its lock. A day of throttling makes more than a thousand attempts, and all
 * attempts for one prompt share a lock item of at most 400 KB.
 */
async function withdraw(table: Table, opened: VideoRecord): Promise<VideoRecord | undefined> {
  const withdrawn = await settleSubmission(table, opened);
  if (withdrawn) await releasePromptLock(table, withdrawn);
  return withdrawn;
}

/** Searches Wan's task list for the task of an attempt whose response was lost. Submits again only when there is no such task. */
async function resolveLostResponse(services: CreateTaskServices, opened: VideoRecord): Promise<CreateTaskOutput> {
  const { table } = services;
  const video = opened.submission?.uncertain_since ? opened : ((await markUncertain(table, opened)) ?? opened);
  const result = await reconcile(services, video);
  switch (result.verdict) {
    case 'adopted':
      return adoptOrThrow(services, video, {
        id: result.task.task_id,
        status: result.task.status,
        request_id: result.task.request_id,
        submit_time: result.task.submit_time ?? video.submission!.sent_at,
      });
    case 'absent': {
      const withdrawn = await settleSubmission(table, video);
      if (!withdrawn) throw uncertain("the video's status has changed");
      return submit(services, withdrawn, services.mediaTransfer);
    }
    case 'ambiguous':
      return failed(video, explainEnding('submission_uncertain'));
    case 'expired':
      return failed(video, expiredFailure(video));
    case 'undecided':
      throw uncertain('the search is not finished');
  }
}

/** Returns a signal for the rest of the call's deadline. When no time is left, it is aborted already and nothing is sent. */
function callTimeout({ submission }: VideoRecord, now: number): AbortSignal {
  const milliseconds = Date.parse(submission!.sent_at) + CALL_DEADLINE_MILLISECONDS - now;
  return milliseconds > 0 ? AbortSignal.timeout(milliseconds) : AbortSignal.abort();
}

async function adoptOrThrow(...[services, video, known]: Parameters<typeof adoptTask>): Promise<CreateTaskOutput> {
  const output = await adoptTask(services, video, known);
  if (!output) throw uncertain("another video owns the task, or this video's status has changed");
  return output;
}

async function pauseAndSettle(
  services: CreateTaskServices,
  video: VideoRecord,
  reason: string,
): Promise<CreateTaskOutput> {
  await pauseAndRequeue(services.table, video, reason);
  return { ...settled(video), account_refused: reason };
}

const uncertain = (why: string) =>
  new WorkflowError(errorNames.submissionUncertain, `Unknown whether Wan created a task: ${why}.`);

const promptLocked = () =>
  new WorkflowError(errorNames.promptLocked, 'Another video with the same model and prompt is uncertain.');

const settled = ({ id, run }: WorkflowInput) => ({ id, run, outcome: 'settled' }) as const;

const failed = ({ id, run }: WorkflowInput, error: Failure): CreateTaskOutput => ({
  id,
  run,
  outcome: 'failed',
  error,
});
