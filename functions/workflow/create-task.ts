import { acquirePromptLock, escalatePromptLock, isPromptLocked, releasePromptLock } from '../ledger/prompt-lock.ts';
import { releaseSpending, reserveSpending, settleSpending } from '../ledger/spending.ts';
import { confirmSubmission, markUncertain, openSubmission, settleSubmission } from '../ledger/submission.ts';
import { expiredFailure } from '../ledger/task-lifetime.ts';
import { type Dispatcher, dispatchNext } from '../queue/dispatch.ts';
import type { WorkflowInput } from '../queue/execution.ts';
import { reserveSubmitSlot, resumeQueue } from '../queue/model-queue.ts';
import { pauseAndRequeue } from '../queue/release.ts';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import type { Failure, VideoRecord } from '../video/record.ts';
import { readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { AccountRefused } from '../wan/client/rejections.ts';
import { explainEnding, explainFailure } from '../wan/failures.ts';
import { type AdoptServices, adoptTask, waitForTask } from './adopt-task.ts';
import type { MediaMissing, MediaTransfer, MediaUrls } from './media-urls.ts';
import { type ReconcileServices, reconcile } from './reconcile.ts';
import type { CreateTaskOutput } from './step-handler.ts';
import { taskRequestOf } from './task-request.ts';

/**
 * No call to Wan is under way so long after its ledger entry, whatever else an invocation waited for: a lost answer is looked for
 * longer than that (`uncertainSeconds`) before anything is sent again. The client itself waits 75 s.
 */
const CALL_MILLISECONDS = 80_000;

export interface CreateTaskServices extends AdoptServices, Dispatcher {
  wan: WanClient;
  resolveMediaUrls: (video: VideoRecord, transfer: MediaTransfer) => Promise<MediaUrls | AccountRefused | MediaMissing>;
  mediaTransfer: MediaTransfer;
  /** How long a lost answer is looked for before the request is sent again. */
  uncertainSeconds: number;
  onAmbiguous: ReconcileServices['onAmbiguous'];
  /** What an owner may spend in a calendar month, in the region's currency. */
  monthlySpendingLimit: number | undefined;
  sleep: (milliseconds: number) => Promise<void>;
}

/**
 * Makes sure that a video has its one task at Wan. It may be called any number of times for the same run, and may die at any
 * point: the ledger tells a later call whether a paid task may exist already (invariant 1).
 * @throws WorkflowError by which the state machine retries: throttled, unavailable, uncertain, fenced
 */
export async function createTask(services: CreateTaskServices, input: WorkflowInput): Promise<CreateTaskOutput> {
  const video = await readVideo(services.table, input.id);
  if (!video || video.run !== input.run) return settled(input);
  if (video.task) return waitForTask(services, { ...video, task: video.task });
  if (video.status !== 'submitting') {
    // An invocation that died may have set something aside after the video had ended.
    await settleSpending(services.table, video);
    return settled(input);
  }
  if (video.submission?.state === 'open') return resolveLostAnswer(services, video);
  return send(services, video, services.mediaTransfer);
}

/** One call to Wan, written down and reserved out of what its owner may spend (invariant 8) before it is made. */
async function send(
  services: CreateTaskServices,
  video: VideoRecord,
  transfer: MediaTransfer,
): Promise<CreateTaskOutput> {
  const { table, wan } = services;
  const media = await services.resolveMediaUrls(video, transfer);
  if ('outcome' in media)
    return media.outcome === 'gone' ? failed(video, explainEnding('image_gone')) : pause(services, video, media.reason);
  const request = taskRequestOf(video, media);
  if (await isPromptLocked(table, video)) throw fenced();
  const slot = await reserveSubmitSlot(table, services.limitsOf(video.model));
  await services.sleep(slot - table.now());
  const opened = await openSubmission(table, video);
  if (!opened) throw uncertain('another invocation is sending this video, or it moved on');
  if (!(await acquirePromptLock(table, opened))) {
    await settleSubmission(table, opened);
    throw fenced();
  }
  if (!(await reserveSpending(table, opened, services.monthlySpendingLimit))) {
    const unpaid = await withdraw(table, opened);
    if (!unpaid) throw uncertain('another invocation has decided this attempt');
    return failed(unpaid, explainEnding('spending_limit_reached'));
  }
  // Whoever stood still until here may have been given up meanwhile: its video sent by another invocation, canceled, deleted.
  if (!(await confirmSubmission(table, opened))) {
    await releaseSpending(table, opened);
    throw uncertain('another invocation has decided this attempt, or the video moved on');
  }
  const answer = await wan.createTask(request, timeLeft(opened, table.now()));
  switch (answer.outcome) {
    case 'created': {
      const output = await adoptFound(services, opened, {
        id: answer.task_id,
        status: answer.task_status,
        request_id: answer.request_id,
        submit_time: opened.submission!.sent_at,
      });
      if (await resumeQueue(table, opened.model)) await dispatchNext(services, opened.model);
      return output;
    }
    case 'unknown':
      await escalatePromptLock(table, opened);
      await markUncertain(table, opened);
      throw uncertain(`Wan's answer was lost (${answer.cause})`);
  }
  // Everything else says for certain that no task was created.
  const unsent = (await withdraw(table, opened)) ?? opened;
  switch (answer.outcome) {
    case 'throttled':
      throw new WorkflowError(errorNames.wanThrottled, `Wan is throttling: ${answer.code}`);
    case 'unavailable':
      throw new WorkflowError(errorNames.wanUnavailable, `Wan is unavailable: ${answer.cause}`);
    case 'account_refused':
      return pause(services, unsent, answer.reason);
    case 'refused':
      if (answer.reason === 'image_download' && transfer === 'url' && (unsent.image || unsent.audio))
        return send(services, unsent, 'upload');
      return failed(unsent, explainFailure({ ...answer, stage: 'submit' }));
  }
}

/**
 * Settles an attempt that made no task, and releases its lock: a day of throttling makes more than a thousand attempts, and whoever
 * has the same prompt shares one item of at most 400 KB.
 */
async function withdraw(table: Table, opened: VideoRecord): Promise<VideoRecord | undefined> {
  const unsent = await settleSubmission(table, opened);
  if (unsent) await releasePromptLock(table, unsent);
  return unsent;
}

/** A call was made and its answer is missing: nothing is sent until Wan's list has decided. */
async function resolveLostAnswer(services: CreateTaskServices, open: VideoRecord): Promise<CreateTaskOutput> {
  const { table } = services;
  const video = open.submission?.uncertain_since ? open : ((await markUncertain(table, open)) ?? open);
  const result = await reconcile(services, video);
  switch (result.verdict) {
    case 'adopted':
      return adoptFound(services, video, {
        id: result.task.task_id,
        status: result.task.status,
        request_id: result.task.request_id,
        submit_time: result.task.submit_time ?? video.submission!.sent_at,
      });
    case 'absent': {
      const unsent = await settleSubmission(table, video);
      if (!unsent) throw uncertain('its record moved on');
      return send(services, unsent, services.mediaTransfer);
    }
    case 'ambiguous':
      return failed(video, explainEnding('submission_uncertain'));
    case 'forgotten':
      return failed(video, expiredFailure(video));
    case 'undecided':
      throw uncertain("Wan's list has not decided yet");
  }
}

/** What is left of the time for the call that the ledger tells of. When that is nothing, nothing is sent, which the answer then says. */
function timeLeft({ submission }: VideoRecord, now: number): AbortSignal {
  const milliseconds = Date.parse(submission!.sent_at) + CALL_MILLISECONDS - now;
  return milliseconds > 0 ? AbortSignal.timeout(milliseconds) : AbortSignal.abort();
}

async function adoptFound(...[services, video, known]: Parameters<typeof adoptTask>): Promise<CreateTaskOutput> {
  const output = await adoptTask(services, video, known);
  if (!output) throw uncertain('the task belongs to another video, or the record moved on');
  return output;
}

async function pause(services: CreateTaskServices, video: VideoRecord, reason: string): Promise<CreateTaskOutput> {
  await pauseAndRequeue(services.table, video, reason);
  return { ...settled(video), account_refused: reason };
}

const uncertain = (why: string) =>
  new WorkflowError(errorNames.submissionUncertain, `Whether Wan created a task is not known: ${why}.`);

const fenced = () =>
  new WorkflowError(errorNames.promptLocked, 'A video with the same model and prompt is uncertain; this one waits.');

const settled = ({ id, run }: WorkflowInput) => ({ id, run, outcome: 'settled' }) as const;

const failed = ({ id, run }: WorkflowInput, error: Failure): CreateTaskOutput => ({
  id,
  run,
  outcome: 'failed',
  error,
});
