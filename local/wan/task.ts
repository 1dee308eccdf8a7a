import type { Directives } from './directives.ts';
import type { MediaType, Ratio, Tier } from './models.ts';
import { taskRetention } from './time.ts';

export type TaskStatus = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELED' | 'UNKNOWN';

/** How a task ended: with a rendered file, or with a documented error. */
export type Outcome =
  | { readonly status: 'SUCCEEDED'; readonly render: string }
  | { readonly status: 'FAILED'; readonly code: string; readonly message: string };

/** A file of a request: an image, a video, audio, or a document. */
export interface TaskMedia {
  readonly type: MediaType;
  readonly file: string;
  readonly format: string;
  /** Of images and videos. */
  readonly width?: number;
  readonly height?: number;
  /** Of videos and audio. */
  readonly seconds?: number;
  /** Of videos. */
  readonly hasAudio?: boolean;
}

/** A task on disk. Times are ms since 1970, durations seconds. */
export interface Task {
  readonly task_id: string;
  /** Request id of the submission, which the task list repeats. */
  readonly request_id: string;
  readonly account: string;
  readonly model: string;
  readonly submitted_at: number;
  /** The submitted prompt. */
  readonly orig_prompt: string;
  /** The rewritten prompt, if prompt extension is on. */
  readonly actual_prompt?: string;
  readonly negative_prompt: string;
  readonly resolution: Tier;
  /** Aspect ratio of the request; undefined for a model without it. */
  readonly ratio?: Ratio;
  /** Seconds of the output, chosen by the model if the request has -1. */
  readonly duration: number;
  readonly multi_shot: boolean;
  readonly watermark: boolean;
  readonly has_audio: boolean;
  readonly seed: number;
  /** In the order of the request. */
  readonly media: readonly TaskMedia[];
  readonly directives: Directives;
  readonly pending_seconds: number;
  readonly run_seconds: number;
  readonly canceled_at?: number;
  readonly outcome?: Outcome;
  readonly downloads_cut: number;
}

/** When a task starts and ends, computed by schedule.ts. */
export interface TaskTimes {
  readonly start: number;
  readonly end: number;
  /** Ends without a result, at the deadline of three hours. */
  readonly overdue: boolean;
}

/** Status of a task at a time. `due` means that the task has ended and its outcome is not written yet. */
export function statusOf(task: Task, times: TaskTimes, now: number): TaskStatus | 'due' {
  if (task.directives.unknown || now >= task.submitted_at + taskRetention) return 'UNKNOWN';
  if (task.canceled_at !== undefined) return 'CANCELED';
  if (now < Math.min(times.start, times.end)) return 'PENDING';
  if (now < times.end) return 'RUNNING';
  return task.outcome?.status ?? 'due';
}
