import { errorNames, WorkflowError } from '../shared/errors.ts';
import { nextCheck, TASK_LIFETIME_SECONDS } from '../video/check-schedule.ts';
import { claimTask, closeFence, enterFence, leaveFence } from '../video/fence.ts';
import { holdLane, releasePermit, reserveSlot } from '../video/lane.ts';
import type { Task, VideoRecord } from '../video/record.ts';
import { changeStatus, readVideo } from '../video/store.ts';
import { markUncertain, openSubmission, settleSubmission } from '../video/submission.ts';
import { taskRequestOf } from '../video/task-request.ts';
import type { WanClient } from '../wan/client.ts';
import { explainEnding, explainFailure } from '../wan/errors.ts';
import type { Held } from '../wan/refusals.ts';
import type { Dispatcher } from './dispatch.ts';
import type { ImageTransfer } from './image-for-wan.ts';
import type { CreateTaskOutput, WorkflowInput } from './payload.ts';
import { reconcile } from './reconcile.ts';

/** How long a lane waits before it tries again what Wan refused for the account's sake (a wrong key, arrears). */
const HOLD_SECONDS = 60;

export interface CreateTaskServices extends Dispatcher {
  wan: WanClient;
  imageForWan: (video: VideoRecord, transfer: ImageTransfer) => Promise<string | Held>;
  imageTransfer: ImageTransfer;
  wanRegion: string;
  /** How long a lost answer is looked for before the request is sent again. */
  uncertainSeconds: number;
  typicalSeconds: (video: VideoRecord) => number;
  /** Permits of all lanes together. */
  permits: number;
  sleep: (milliseconds: number) => Promise<void>;
}

/**
 * Makes sure that a video has its one task at Wan. It may be called any number of times for the same run, and may die at any
 * point: the ledger tells a later call whether a paid task may exist already (invariant 1).
 * @throws WorkflowError by which the state machine retries: throttled, unavailable, uncertain, fenced
 */
export async function createTask(services: CreateTaskServices, input: WorkflowInput): Promise<CreateTaskOutput> {
  const video = await readVideo(services.table, input.id);
  const settled = { id: input.id, run: input.run, outcome: 'settled' } as const;
  if (!video || video.run !== input.run) return settled;
  if (video.task) {
    await leaveFence(services.table, video);
    return created(services, video);
  }
  if (video.status !== 'submitting') return settled;
  if (video.submission?.state === 'open') return resolveLostAnswer(services, video);
  if (video.submission) await leaveFence(services.table, video);
  return send(services, video, services.imageTransfer);
}

/** One call to Wan, written down before it is made. */
async function send(
  services: CreateTaskServices,
  video: VideoRecord,
  transfer: ImageTransfer,
): Promise<CreateTaskOutput> {
  const { table, wan } = services;
  const image = await services.imageForWan(video, transfer);
  if (typeof image !== 'string') return hold(services, video, image.reason);
  if (!(await enterFence(table, video))) {
    throw new WorkflowError(
      errorNames.submissionFenced,
      'A video with the same model and prompt is uncertain; this one waits.',
    );
  }
  const slot = await reserveSlot(table, services.laneOf(video.model));
  await services.sleep(slot - table.now());
  const opened = await openSubmission(table, video);
  if (!opened) {
    throw new WorkflowError(
      errorNames.submissionUncertain,
      'Another invocation is sending this video, or it moved on.',
    );
  }
  const answer = await wan.createTask(taskRequestOf(opened, image));
  switch (answer.outcome) {
    case 'created':
      return adopt(services, opened, {
        id: answer.task_id,
        status: answer.task_status,
        request_id: answer.request_id,
        submit_time: opened.submission!.sent_at,
      });
    case 'unknown': {
      await closeFence(table, opened);
      await markUncertain(table, opened);
      throw new WorkflowError(errorNames.submissionUncertain, `Wan's answer was lost: ${answer.cause}`);
    }
  }
  // Everything else says for certain that no task was created.
  const unsent = (await settleSubmission(table, opened)) ?? opened;
  await leaveFence(table, unsent);
  switch (answer.outcome) {
    case 'throttled':
      throw new WorkflowError(errorNames.wanThrottled, `Wan is throttling: ${answer.code}`);
    case 'unavailable':
      throw new WorkflowError(errorNames.wanUnavailable, `Wan is unavailable: ${answer.cause}`);
    case 'held':
      return hold(services, unsent, answer.reason);
    case 'refused':
      if (answer.reason === 'image_download' && transfer === 'url' && unsent.image)
        return send(services, unsent, 'upload');
      return failed(unsent, explainFailure({ ...answer, stage: 'submit' }));
  }
}

/** A call was made and its answer is missing: nothing is sent until Wan's list has decided. */
async function resolveLostAnswer(services: CreateTaskServices, open: VideoRecord): Promise<CreateTaskOutput> {
  const { table } = services;
  const video = open.submission?.uncertain_since ? open : ((await markUncertain(table, open)) ?? open);
  const result = await reconcile(services, video);
  switch (result.verdict) {
    case 'adopted':
      return adopt(services, video, {
        id: result.task.task_id,
        status: result.task.status,
        request_id: result.task.request_id,
        submit_time: result.task.submit_time ?? video.submission!.sent_at,
      });
    case 'absent': {
      const settled = await settleSubmission(table, video);
      if (!settled) throw uncertain('its record moved on');
      await leaveFence(table, settled);
      return send(services, settled, services.imageTransfer);
    }
    case 'ambiguous':
      return failed(video, explainEnding('submission_uncertain'));
    case 'undecided':
      throw uncertain("Wan's list has not decided yet");
  }
}

const uncertain = (why: string) =>
  new WorkflowError(errorNames.submissionUncertain, `Whether Wan created a task is not known: ${why}.`);

/** Writes a task that was created, or found, to its video. */
async function adopt(
  services: CreateTaskServices,
  video: VideoRecord,
  { id, ...known }: Pick<Task, 'id' | 'status' | 'request_id' | 'submit_time'>,
): Promise<CreateTaskOutput> {
  const { table } = services;
  if (!(await claimTask(table, id, video.id))) throw uncertain('the task belongs to another video');
  const task: Task = {
    id,
    ...known,
    region: services.wanRegion,
    expires_at: new Date(Date.parse(known.submit_time) + TASK_LIFETIME_SECONDS * 1000).toISOString(),
    attempts: video.submission!.attempt,
  };
  const typical = services.typicalSeconds(video) * 1000;
  const running = await changeStatus(table, video, 'running', {
    set: {
      task,
      submission: { ...video.submission!, state: 'settled' },
      progress: 10,
      estimated_finish_at: new Date(Date.parse(known.submit_time) + typical).toISOString(),
    },
  });
  if (!running) throw uncertain('its record moved on');
  await leaveFence(table, running);
  return created(services, running);
}

const created = (services: CreateTaskServices, video: VideoRecord): CreateTaskOutput => ({
  id: video.id,
  run: video.run,
  outcome: 'created',
  check_at: nextCheck(
    { submit_time: video.task!.submit_time, typical_seconds: services.typicalSeconds(video) },
    services.permits,
    services.table.now(),
  ),
});

const failed = (
  video: VideoRecord,
  error: Extract<CreateTaskOutput, { outcome: 'failed' }>['error'],
): CreateTaskOutput => ({
  id: video.id,
  run: video.run,
  outcome: 'failed',
  error,
});

/** Wan refuses the account, not the video: the video goes back into the queue, and its lane waits. */
async function hold(services: CreateTaskServices, video: VideoRecord, reason: string): Promise<CreateTaskOutput> {
  const { table } = services;
  await holdLane(table, video.model, reason, new Date(table.now() + HOLD_SECONDS * 1000).toISOString());
  await changeStatus(table, video, 'queued');
  await releasePermit(table, video.model, video.id);
  return { id: video.id, run: video.run, outcome: 'settled' };
}
