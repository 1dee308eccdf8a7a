import type { TaskFinisher } from './finish-tasks.ts';
import { json, type WanResponse } from './http.ts';
import { inputSeconds } from './inputs.ts';
import { resultUrl } from './links.ts';
import { findModel } from './models.ts';
import { framesPerSecond, outputSize } from './render/recipe.ts';
import { ratioOf } from './render/size.ts';
import type { Store } from './store.ts';
import type { Outcome, Task, TaskStatus, TaskTimes } from './task.ts';
import { toWanTime } from './time.ts';

/** `GET /tasks/{id}`. An unknown, expired or malformed id, or one of another account, is UNKNOWN with HTTP 200. */
export async function queryTask(
  services: { readonly store: Store; readonly finisher: TaskFinisher; readonly origin: string },
  account: string,
  taskId: string,
): Promise<WanResponse> {
  const isOwn = services.store.find(taskId)?.account === account;
  const finished = isOwn ? await services.finisher.finishIfDue(taskId) : undefined;
  if (!finished) {
    return json(200, { output: { task_id: taskId, task_status: 'UNKNOWN' } });
  }
  const { task, status } = finished;
  return json(200, describeTask(task, status, services.store.timesOf(task), services.origin));
}

/** Returns `output`, and `usage` of a succeeded task (reference, "Step 2", "Response parameters"). */
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
      task_status: (status === 'RUNNING' && task.directives.status) || status,
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

/** Returns the billed units. Each family of models has members of its own (reference, "usage"; later facts). */
function usageOf(task: Task): Record<string, unknown> {
  const { duration } = task;
  const input = inputSeconds(task.media);
  const units = { video_count: 1, SR: Number.parseInt(task.resolution, 10) };
  const usage = findModel(task.model)?.usage;
  switch (usage) {
    case 'wan2.1':
      return { video_duration: duration, video_ratio: 'standard', video_count: 1 };
    case 'wan2.6':
    case 'wan2.6 flash': {
      const audio = usage === 'wan2.6 flash' && { audio: task.has_audio };
      return { duration, input_video_duration: 0, output_video_duration: duration, ...units, ...audio };
    }
    case 'wan2.7':
      // The duration is the total, which contains the source.
      return {
        duration,
        input_video_duration: toThousandths(input),
        output_video_duration: toThousandths(duration - input),
        ...units,
      };
    case 'wan3.0':
      return {
        duration: toThousandths(input + duration),
        input_video_duration: toThousandths(input),
        output_video_duration: duration,
        ...units,
        fps: framesPerSecond,
        ratio: task.ratio === 'adaptive' ? ratioOf(outputSize(task)) : task.ratio,
      };
    default:
      return { duration, ...units };
  }
}

function toThousandths(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
