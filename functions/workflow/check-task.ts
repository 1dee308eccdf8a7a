import { explainForgotten, isForgotten } from '../ledger/task-lifetime.ts';
import { type Company, isLate, isPastDeadline, nextCheck } from '../polling/check-schedule.ts';
import { type DurationEstimate, estimateOf, learnDuration } from '../polling/duration-estimate.ts';
import { NO_TURN, noTurn } from '../polling/rate-limited-wan.ts';
import { companyOf, sharedLook } from '../polling/shared-look.ts';
import { type Dispatcher, releaseAndDispatch } from '../queue/dispatch.ts';
import type { WorkflowInput } from '../queue/execution.ts';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import type { Measure } from '../shared/metrics.ts';
import { isTerminal, type Task, type VideoRecord } from '../video/record.ts';
import { changeStatus, changeVideo, readVideo } from '../video/store.ts';
import { isModelName } from '../wan/catalogue.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { QueryOutcome, Task as WanTask } from '../wan/client/query-task.ts';
import { explainEnding, explainFailure } from '../wan/failures.ts';
import type { CheckTaskOutput } from './step-handler.ts';

/**
 * A question that had no turn at the query clock is asked after so many seconds, or this part of the task's age, and up to as long again:
 * even 24 hours without any turn take no more checks than an execution's history holds.
 */
const TURN = { seconds: 2, part_of_age: 1 / 400 };

export interface CheckTaskServices extends Dispatcher {
  wan: Pick<WanClient, 'queryTask' | 'listTasks'>;
  /** What the deployment says of how long a task takes; undefined leaves it to the catalogue, until it is learnt. */
  configuredSeconds: number | undefined;
  measure: Measure;
  /** From 0 up to, not including, 1. */
  random: () => number;
  sleep: (milliseconds: number) => Promise<void>;
}

/**
 * Looks once how a video's task stands and says it as a value. A task that ended gives its permit to the next video. One that Wan
 * still calls pending or running, or says nothing of, when it should have been forgotten long since, is given up; never one that
 * Wan was not asked about.
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
  const estimate = await estimateOf(table, video, services.configuredSeconds);
  const { answer, company } = await howItStands(services, video, estimate);
  if (answer.outcome === 'throttled' && answer.code === NO_TURN)
    return { ...from, outcome: 'running', check_at: afterTheRush(services, video.task) };
  if (!saysEnding(answer) && isPastDeadline(video.task, table.now()))
    return { ...from, outcome: 'failed', error: explainForgotten(video) };
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
      return {
        ...from,
        outcome: 'running',
        check_at: await keepWaiting(services, video, answer, { estimate, company }),
      };
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

/**
 * How a task stands: going on, by a look that serves all of its model's tasks, or else by a question of its own. Only that one ever
 * says that a task has ended.
 */
async function howItStands(
  services: CheckTaskServices,
  { model, task, status }: VideoRecord,
  estimate: DurationEstimate,
): Promise<{ answer: QueryOutcome; company: Company }> {
  const { id: task_id, submit_time } = task!;
  if (status === 'running' && isModelName(model) && !isLate({ submit_time }, estimate, services.table.now())) {
    const look = await sharedLook(services, model);
    if (look === 'soon') return { answer: noTurn, company: 'many' };
    const status = look?.statusOf(task_id);
    if (look && status) return { answer: { outcome: 'task', status, task_id }, company: companyOf(look) };
  }
  return { answer: await services.wan.queryTask(task_id), company: 'none' };
}

const saysEnding = (answer: QueryOutcome): boolean =>
  answer.outcome === 'task' && answer.status !== 'PENDING' && answer.status !== 'RUNNING';

function afterTheRush({ table, random }: CheckTaskServices, { submit_time }: Task): string {
  const now = table.now();
  const seconds = Math.max(TURN.seconds, ((now - Date.parse(submit_time)) / 1000) * TURN.part_of_age);
  return new Date(Math.ceil(now / 1000 + seconds * (1 + random())) * 1000).toISOString();
}

/** Notes what Wan says of a task that goes on, when it is news, and tells when to look again. */
async function keepWaiting(
  { table, random }: CheckTaskServices,
  video: VideoRecord,
  answer: WanTask,
  { estimate, company }: { estimate: DurationEstimate; company: Company },
): Promise<string> {
  const task = video.task!;
  const age = (table.now() - Date.parse(task.submit_time)) / 1000;
  // Between 10 and 90 per cent: the start and the archive have their own share.
  const progress = Math.max(video.progress, Math.round(10 + 80 * Math.min(1, age / estimate.typical_seconds)));
  if (answer.status !== task.status || progress >= video.progress + 5) {
    await changeVideo(table, video, { set: { task: withNews(task, answer), progress } });
  }
  return nextCheck(task, estimate, { now: table.now(), company, random });
}

/** Moves the video on to its archive. A second look at a task that ended finds it there and is fine. */
async function markSucceeded(services: CheckTaskServices, video: VideoRecord, answer: WanTask): Promise<boolean> {
  if (video.status === 'archiving') return true;
  const set = {
    task: withNews(video.task!, answer),
    progress: 90,
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
  { table, measure, configuredSeconds }: CheckTaskServices,
  video: VideoRecord,
  { end_time }: WanTask,
): Promise<void> {
  const now = table.now();
  // Wan's clock may be ahead of ours.
  const ended = end_time === undefined ? now : Math.min(now, Date.parse(end_time));
  if (end_time !== undefined) measure('DetectionLag', (now - ended) / 1000, { model: video.model });
  await learnDuration(table, video, (ended - Date.parse(video.task!.submit_time)) / 1000, configuredSeconds);
}

const withNews = (task: Task, { status, scheduled_time, end_time, actual_prompt }: WanTask): Task => ({
  ...task,
  status,
  ...(scheduled_time ? { scheduled_time } : {}),
  ...(end_time ? { end_time } : {}),
  ...(status === 'SUCCEEDED' && actual_prompt ? { actual_prompt } : {}),
});
