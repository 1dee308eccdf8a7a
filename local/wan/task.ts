import type { Directives } from './directives.ts';
import type { ImageFormat } from './image.ts';
import type { Tier } from './models.ts';
import { taskRetention } from './time.ts';

export type TaskStatus = 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELED' | 'UNKNOWN';

/** How a task ended: with a rendered file, or with a documented error. */
export type Outcome =
  | { readonly status: 'SUCCEEDED'; readonly render: string }
  | { readonly status: 'FAILED'; readonly code: string; readonly message: string };

/** A task as it is kept on disk. Times are ms since 1970, durations seconds. */
export interface Task {
  readonly task_id: string;
  /** The submit's request id, which the task list repeats. */
  readonly request_id: string;
  readonly account: string;
  readonly model: string;
  readonly submitted_at: number;
  /** The prompt as it was sent, and as it is drawn: cut to the model's limit, rewritten if asked. */
  readonly orig_prompt: string;
  readonly actual_prompt?: string;
  readonly negative_prompt: string;
  readonly resolution: Tier;
  readonly duration: number;
  readonly multi_shot: boolean;
  readonly watermark: boolean;
  readonly sound: boolean;
  readonly seed: number;
  readonly image: {
    readonly file: string;
    readonly format: ImageFormat;
    readonly width: number;
    readonly height: number;
  };
  readonly audio?: { readonly file: string };
  readonly directives: Directives;
  readonly pending_seconds: number;
  readonly run_seconds: number;
  readonly canceled_at?: number;
  readonly outcome?: Outcome;
  readonly downloads_cut: number;
}

/** When a task starts and ends, by arithmetic; see schedule.ts. */
export interface TaskTimes {
  readonly start: number;
  readonly end: number;
  /** Ended without a result, at the deadline of three hours. */
  readonly overdue: boolean;
}

/** Where a task is at a moment. `due` means that its time is over and its outcome not written yet. */
export function statusOf(task: Task, times: TaskTimes, now: number): TaskStatus | 'due' {
  if (task.directives.unknown || now >= task.submitted_at + taskRetention) return 'UNKNOWN';
  if (task.canceled_at !== undefined) return 'CANCELED';
  if (now < Math.min(times.start, times.end)) return 'PENDING';
  if (now < times.end) return 'RUNNING';
  return task.outcome?.status ?? 'due';
}
