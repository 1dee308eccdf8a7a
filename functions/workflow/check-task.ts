import { deadlineOf, expiredFailure, isExpired } from '../ledger/task-lifetime.ts';
import { type ConfiguredSeconds, learnDuration, typicalSecondsOf } from '../polling/durations.ts';
import { wasRateLimited } from '../polling/rate-limited-wan.ts';
import { closeWait, longerPause, waitFor } from '../polling/wait-item.ts';
import { type Dispatcher, releaseAndDispatch } from '../queue/dispatch.ts';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import { isTerminal, type Task, type VideoRecord } from '../video/record.ts';
import { changeStatus, changeVideo, readVideo } from '../video/store.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { QueryOutcome, Task as WanTask } from '../wan/client/query-task.ts';
import { explainEnding, explainFailure } from '../wan/failures.ts';
import type { CheckTaskInput, CheckTaskOutput } from './step-handler.ts';

export interface CheckTaskServices extends Dispatcher {
  wan: Pick<WanClient, 'queryTask'>;
  /** The configured duration of a task in seconds. Undefined uses the catalogue's until durations are learned. */
  configuredSeconds: ConfiguredSeconds;
  recordMetric: RecordMetric;
  /** Called with a status that Wan does not document. */
  onUnknownStatus: (video: VideoRecord, status: string) => void;
}

/**
 * Queries a video's task once and decides the next step; only CheckTask decides whether a task has ended. When it has, the next video
 * gets the permit. A task that has not ended after its lifetime at Wan and a grace period (`deadlineOf`) fails its video.
 * @throws WorkflowError that the state machine retries: wanThrottled, wanUnavailable, or taskUnknown before the task expires
 */
export async function checkTask(services: CheckTaskServices, input: CheckTaskInput): Promise<CheckTaskOutput> {
  const output = await queryAndDecide(services, input);
  if (output.outcome !== 'running') await closeWait(services.table, output);
  return output;
}

async function queryAndDecide(services: CheckTaskServices, input: CheckTaskInput): Promise<CheckTaskOutput> {
  const { table } = services;
  const ids = { id: input.id, run: input.run };
  const video = await readVideo(table, input.id);
  if (!video?.task || video.run !== input.run) return { ...ids, outcome: 'settled' };
  if (isTerminal(video.status)) {
    await releaseAndDispatch(services, video);
    return { ...ids, outcome: 'settled' };
  }
  const response = await services.wan.queryTask(video.task.id);
  if (!hasEnded(response) && !wasRateLimited(response) && table.now() >= deadlineOf(video.task.expires_at))
    return { ...ids, outcome: 'failed', error: expiredFailure(video) };
  switch (response.outcome) {
    case 'throttled':
      throw new WorkflowError(errorNames.wanThrottled, `Wan is throttling: ${response.code}`);
    case 'unrecognised':
      services.onUnknownStatus(video, response.status);
      return keepWaiting(services, { ...video, task: video.task }, input);
    case 'task':
      break;
    default:
      throw new WorkflowError(errorNames.wanUnavailable, `Wan returned no task status (${response.outcome}).`);
  }
  switch (response.status) {
    case 'PENDING':
    case 'RUNNING':
      if (response.status !== video.task.status)
        await changeVideo(table, video, { set: { task: withTaskUpdate(video.task, response) } });
      return keepWaiting(services, { ...video, task: video.task }, input);
    case 'SUCCEEDED':
      if (!(await markSucceeded(services, video, response))) return { ...ids, outcome: 'settled' };
      await releaseAndDispatch(services, video);
      return { ...ids, outcome: 'succeeded' };
    case 'CANCELED':
      await changeStatus(table, video, 'canceled', {
        set: { task: withTaskUpdate(video.task, response), error: explainEnding('task_canceled', response.request_id) },
      });
      await releaseAndDispatch(services, video);
      return { ...ids, outcome: 'settled' };
    case 'FAILED':
      await changeVideo(table, video, { set: { task: withTaskUpdate(video.task, response) } });
      return { ...ids, outcome: 'failed', error: explainFailure({ ...response, stage: 'task' }) };
    case 'UNKNOWN':
      if (!isExpired(video.task, table.now())) {
        throw new WorkflowError(errorNames.taskUnknown, 'Wan does not know a task that has not expired.');
      }
      return { ...ids, outcome: 'failed', error: expiredFailure(video, response.request_id) };
  }
}

const hasEnded = (response: QueryOutcome): boolean =>
  response.outcome === 'task' && response.status !== 'PENDING' && response.status !== 'RUNNING';

/** Returns to WaitForEnd. After a premature wake the watcher's pause for this task doubles; after a timeout it stays. */
async function keepWaiting(
  { table, configuredSeconds }: CheckTaskServices,
  video: VideoRecord & { task: Task },
  { wait, error }: CheckTaskInput,
): Promise<CheckTaskOutput> {
  const typicalSeconds = await typicalSecondsOf(table, video, configuredSeconds);
  const pause = wait?.pause_seconds ?? 0;
  const pauseSeconds = error === undefined ? longerPause(pause) : pause;
  const { id, run } = video;
  return { id, run, outcome: 'running', wait: waitFor(video, { now: table.now(), typicalSeconds, pauseSeconds }) };
}

/** Moves the video to `archiving`. Idempotent. @returns false when the video's status or run has changed otherwise */
async function markSucceeded(services: CheckTaskServices, video: VideoRecord, response: WanTask): Promise<boolean> {
  if (video.status === 'archiving') return true;
  const set = {
    task: withTaskUpdate(video.task!, response),
    ...(response.usage ? { usage: response.usage } : {}),
  };
  if (await changeStatus(services.table, video, 'archiving', { set })) {
    await recordTaskDuration(services, video, response);
    return true;
  }
  // Another invocation, whose response was lost, may have made the change; the video must still be archived.
  const current = await readVideo(services.table, video.id);
  return current?.status === 'archiving' && current.run === video.run;
}

/** Updates the average duration of such tasks and records how late the end of this one was detected. */
async function recordTaskDuration(
  { table, recordMetric, configuredSeconds }: CheckTaskServices,
  video: VideoRecord,
  { end_time }: WanTask,
): Promise<void> {
  const now = table.now();
  // Wan's clock may be ahead of ours.
  const ended = end_time === undefined ? now : Math.min(now, Date.parse(end_time));
  if (end_time !== undefined) recordMetric('DetectionLag', (now - ended) / 1000, { model: video.model });
  await learnDuration(table, video, (ended - Date.parse(video.task!.submit_time)) / 1000, configuredSeconds);
}

const withTaskUpdate = (task: Task, { status, scheduled_time, end_time, actual_prompt }: WanTask): Task => ({
  ...task,
  status,
  ...(scheduled_time ? { scheduled_time } : {}),
  ...(end_time ? { end_time } : {}),
  ...(status === 'SUCCEEDED' && actual_prompt ? { actual_prompt } : {}),
});
