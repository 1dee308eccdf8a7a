import { type Answer, json } from './http.ts';
import { resultUrl } from './links.ts';
import { findModel } from './models.ts';
import type { Settler } from './settle.ts';
import type { Store } from './store.ts';
import type { Outcome, Task, TaskStatus, TaskTimes } from './task.ts';
import { toWanTime } from './time.ts';

/** `GET /tasks/{id}`. An id that is unknown, expired, malformed or another account's is UNKNOWN, with HTTP 200. */
export async function queryTask(
  services: { readonly store: Store; readonly settler: Settler; readonly origin: string },
  account: string,
  taskId: string,
): Promise<Answer> {
  const isOwn = services.store.find(taskId)?.account === account;
  const settled = isOwn ? await services.settler.settle(taskId) : undefined;
  if (!settled) {
    return json(200, { output: { task_id: taskId, task_status: 'UNKNOWN' } });
  }
  const { task, status } = settled;
  return json(200, describeTask(task, status, services.store.timesOf(task), services.origin));
}

/** The answer to a task query: `output`, and `usage` when it succeeded (reference, "Step 2", "Response parameters"). */
function describeTask(
  task: Task,
  status: TaskStatus,
  times: TaskTimes,
  origin: string,
): { readonly output: Record<string, unknown>; readonly usage?: Record<string, unknown> } {
  if (status === 'UNKNOWN') return { output: { task_id: task.task_id, task_status: status } };
  const hasStarted = status !== 'PENDING' && status !== 'CANCELED';
  const hasEnded = status === 'SUCCEEDED' || status === 'FAILED';
  const endedAt = status === 'CANCELED' ? task.canceled_at : hasEnded ? times.end : undefined;
  return {
    output: {
      task_id: task.task_id,
      task_status: status,
      submit_time: toWanTime(task.submitted_at),
      ...(hasStarted && { scheduled_time: toWanTime(Math.min(times.start, times.end)) }),
      ...(endedAt !== undefined && { end_time: toWanTime(endedAt) }),
      orig_prompt: task.orig_prompt,
      ...(status === 'SUCCEEDED' && {
        ...(task.actual_prompt !== undefined && { actual_prompt: task.actual_prompt }),
        video_url: resultUrl(origin, task, times.end),
      }),
      ...(status === 'FAILED' && failureOf(task.outcome)),
    },
    ...(status === 'SUCCEEDED' && { usage: usageOf(task) }),
  };
}

function failureOf(outcome: Outcome | undefined): Record<string, string> {
  return outcome?.status === 'FAILED' ? { code: outcome.code, message: outcome.message } : {};
}

/** What is billed; each family of models says it with members of its own (reference, "usage"). */
function usageOf(task: Task): Record<string, unknown> {
  const { duration } = task;
  const resolution = Number.parseInt(task.resolution, 10);
  const model = findModel(task.model);
  switch (model?.usage) {
    case 'wan2.1':
      return { video_duration: duration, video_ratio: 'standard', video_count: 1 };
    case 'wan2.6':
      return {
        duration,
        input_video_duration: 0,
        output_video_duration: duration,
        video_count: 1,
        SR: resolution,
        ...(model.soundSwitch && { audio: task.sound }),
      };
    default:
      return { duration, video_count: 1, SR: resolution };
  }
}
