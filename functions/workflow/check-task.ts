import { deadlineOf, expiredFailure, isExpired } from '../ledger/task-lifetime.ts';
import { learnDuration, typicalSecondsOf } from '../polling/durations.ts';
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
  /** What the deployment says of how long a task takes; undefined leaves it to the catalogue, until it is learned. */
  configuredSeconds: number | undefined;
  recordMetric: RecordMetric;
  /** Called with a status that no source of Wan's API names. */
  onUnknownStatus: (video: VideoRecord, status: string) => void;
}

/**
 * Asks Wan once how a video's task stands: the only judge of that. A task that has ended gives its permit to the next video. One that
 * Wan still calls pending or running, or says nothing of, long after it should have forgotten it, is given up.
 * @throws WorkflowError by which the state machine asks again: throttled, unavailable, or that Wan does not know the task too early
 */
export async function checkTask(services: CheckTaskServices, input: CheckTaskInput): Promise<CheckTaskOutput> {
  const output = await judge(services, input);
  if (output.outcome !== 'running') await closeWait(services.table, output);
  return output;
}

async function judge(services: CheckTaskServices, input: CheckTaskInput): Promise<CheckTaskOutput> {
  const { table } = services;
  const from = { id: input.id, run: input.run };
  const video = await readVideo(table, input.id);
  if (!video?.task || video.run !== input.run) return { ...from, outcome: 'settled' };
  if (isTerminal(video.status)) {
    await releaseAndDispatch(services, video);
    return { ...from, outcome: 'settled' };
  }
  const answer = await services.wan.queryTask(video.task.id);
  if (!saysEnding(answer) && !wasRateLimited(answer) && table.now() >= deadlineOf(video.task.expires_at))
    return { ...from, outcome: 'failed', error: expiredFailure(video) };
  switch (answer.outcome) {
    case 'throttled':
      throw new WorkflowError(errorNames.wanThrottled, `Wan is throttling: ${answer.code}`);
    case 'unrecognised':
      services.onUnknownStatus(video, answer.status);
      return keepWaiting(services, { ...video, task: video.task }, input);
    case 'task':
      break;
    default:
      throw new WorkflowError(errorNames.wanUnavailable, `Wan did not say how the task stands (${answer.outcome}).`);
  }
  switch (answer.status) {
    case 'PENDING':
    case 'RUNNING':
      if (answer.status !== video.task.status)
        await changeVideo(table, video, { set: { task: withNews(video.task, answer) } });
      return keepWaiting(services, { ...video, task: video.task }, input);
    case 'SUCCEEDED':
      if (!(await markSucceeded(services, video, answer))) return { ...from, outcome: 'settled' };
      await releaseAndDispatch(services, video);
      return { ...from, outcome: 'succeeded' };
    case 'CANCELED':
      await changeStatus(table, video, 'canceled', {
        set: { task: withNews(video.task, answer), error: explainEnding('task_canceled', answer.request_id) },
      });
      await releaseAndDispatch(services, video);
      return { ...from, outcome: 'settled' };
    case 'FAILED':
      await changeVideo(table, video, { set: { task: withNews(video.task, answer) } });
      return { ...from, outcome: 'failed', error: explainFailure({ ...answer, stage: 'task' }) };
    case 'UNKNOWN':
      if (!isExpired(video.task, table.now())) {
        throw new WorkflowError(errorNames.taskUnknown, 'Wan does not know a task that it should still have.');
      }
      return { ...from, outcome: 'failed', error: expiredFailure(video, answer.request_id) };
  }
}

const saysEnding = (answer: QueryOutcome): boolean =>
  answer.outcome === 'task' && answer.status !== 'PENDING' && answer.status !== 'RUNNING';

/** Back to sleep. Each wake that came too early makes the watcher leave the task alone for longer; a timeout changes nothing. */
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

/** Moves the video on to its archive. A second look at a task that ended finds it there and is fine. */
async function markSucceeded(services: CheckTaskServices, video: VideoRecord, answer: WanTask): Promise<boolean> {
  if (video.status === 'archiving') return true;
  const set = {
    task: withNews(video.task!, answer),
    ...(answer.usage ? { usage: answer.usage } : {}),
  };
  if (await changeStatus(services.table, video, 'archiving', { set })) {
    await noteDuration(services, video, answer);
    return true;
  }
  // An invocation whose answer was lost may have been faster; then there is an archive to be made all the same.
  const now = await readVideo(services.table, video.id);
  return now?.status === 'archiving' && now.run === video.run;
}

/** Learns from a task that succeeded how long its kind takes, and measures how late that was noticed. */
async function noteDuration(
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

const withNews = (task: Task, { status, scheduled_time, end_time, actual_prompt }: WanTask): Task => ({
  ...task,
  status,
  ...(scheduled_time ? { scheduled_time } : {}),
  ...(end_time ? { end_time } : {}),
  ...(status === 'SUCCEEDED' && actual_prompt ? { actual_prompt } : {}),
});
