import { errorNames, WorkflowError } from '../shared/errors.ts';
import { nextCheck } from '../video/check-schedule.ts';
import { isTerminal, type Task, type VideoRecord } from '../video/record.ts';
import { changeStatus, changeVideo, readVideo } from '../video/store.ts';
import type { WanClient } from '../wan/client.ts';
import { explainEnding, explainFailure } from '../wan/errors.ts';
import type { Task as WanTask } from '../wan/query-task.ts';
import { type Dispatcher, releaseAndDispatch } from './dispatch.ts';
import { explainForgotten, isForgotten } from './forgotten.ts';
import type { CheckTaskOutput, WorkflowInput } from './payload.ts';

export interface CheckTaskServices extends Dispatcher {
  wan: Pick<WanClient, 'queryTask'>;
  typicalSeconds: (video: VideoRecord) => number;
  /** Permits of all lanes together. */
  permits: number;
}

/**
 * Asks Wan once how a video's task stands and says it as a value. A task that ended gives its permit to the next video.
 * @throws WorkflowError by which the state machine asks again: throttled, unavailable, an answer nobody understands, or that Wan
 * does not know the task too early
 */
export async function checkTask(services: CheckTaskServices, input: WorkflowInput): Promise<CheckTaskOutput> {
  const { table } = services;
  const from = { id: input.id, run: input.run };
  const video = await readVideo(table, input.id);
  if (!video?.task || video.run !== input.run) return { ...from, outcome: 'settled' };
  if (isTerminal(video.status)) {
    await releaseAndDispatch(services, video);
    return { ...from, outcome: 'settled' };
  }
  const answer = await services.wan.queryTask(video.task.id);
  switch (answer.outcome) {
    case 'throttled':
      throw new WorkflowError(errorNames.wanThrottled, `Wan is throttling: ${answer.code}`);
    case 'task':
      break;
    default:
      throw new WorkflowError(errorNames.wanUnavailable, `Wan did not tell how the task stands (${answer.outcome}).`);
  }
  switch (answer.status) {
    case 'PENDING':
    case 'RUNNING':
      return { ...from, outcome: 'running', check_at: await keepWaiting(services, video, answer) };
    case 'SUCCEEDED':
      if (!(await markSucceeded(services, video, answer))) return { ...from, outcome: 'settled' };
      await releaseAndDispatch(services, video);
      return { ...from, outcome: 'succeeded' };
    case 'CANCELED':
      await changeStatus(table, video, 'canceled', {
        set: { task: withNews(video.task, answer), error: explainEnding('task_canceled', answer.request_id) },
        remove: ['estimated_finish_at'],
      });
      await releaseAndDispatch(services, video);
      return { ...from, outcome: 'settled' };
    case 'FAILED':
      await changeVideo(table, video, { set: { task: withNews(video.task, answer) } });
      return { ...from, outcome: 'failed', error: explainFailure({ ...answer, stage: 'task' }) };
    case 'UNKNOWN':
      if (!isForgotten(video.task, table.now())) {
        throw new WorkflowError(errorNames.taskUnknown, 'Wan does not know a task that it should still have.');
      }
      return { ...from, outcome: 'failed', error: explainForgotten(video, answer.request_id) };
  }
}

/** Notes what Wan says of a task that goes on, when it is news, and tells when to look again. */
async function keepWaiting(services: CheckTaskServices, video: VideoRecord, answer: WanTask): Promise<string> {
  const { table } = services;
  const typical_seconds = services.typicalSeconds(video);
  const submit_time = video.task!.submit_time;
  const age = (table.now() - Date.parse(submit_time)) / 1000;
  // Between 10 and 90 per cent: the start and the archive have their own share.
  const progress = Math.max(video.progress, Math.round(10 + 80 * Math.min(1, age / typical_seconds)));
  if (answer.status !== video.task!.status || progress >= video.progress + 5) {
    await changeVideo(table, video, { set: { task: withNews(video.task!, answer), progress } });
  }
  return nextCheck({ submit_time, typical_seconds }, services.permits, table.now());
}

/** Moves the video on to its archive. A second look at a task that ended finds it there and is fine. */
async function markSucceeded(services: CheckTaskServices, video: VideoRecord, answer: WanTask): Promise<boolean> {
  if (video.status === 'archiving') return true;
  const set = {
    task: withNews(video.task!, answer),
    progress: 90,
    ...(answer.usage ? { usage: answer.usage } : {}),
  };
  if (await changeStatus(services.table, video, 'archiving', { set })) return true;
  // An invocation whose answer was lost may have been faster; then there is an archive to be made all the same.
  const now = await readVideo(services.table, video.id);
  return now?.status === 'archiving' && now.run === video.run;
}

const withNews = (task: Task, { status, scheduled_time, end_time, actual_prompt }: WanTask): Task => ({
  ...task,
  status,
  ...(scheduled_time ? { scheduled_time } : {}),
  ...(end_time ? { end_time } : {}),
  ...(status === 'SUCCEEDED' && actual_prompt ? { actual_prompt } : {}),
});
