import type { RequestedWebhook } from '../wan/validation/webhook.ts';
import type { Task, VideoRecord } from './record.ts';

/**
 * A video as the API shows it: the record without Wan's task id and internal fields (invariant 7), with its progress and, while it is
 * queued, its position.
 */
export type VideoView = Omit<
  VideoRecord,
  | 'family'
  | 'task'
  | 'submission'
  | 'request_hash'
  | 'run'
  | 'earlier_runs'
  | 'downloads'
  | 'spending_month'
  | 'upstream_tasks'
  | 'webhook'
> & {
  task?: TaskView;
  webhook?: WebhookView;
} & Progress &
  Partial<QueuePosition>;

/** The webhook of a request. The path of its URL may be a secret of the receiver. */
export interface WebhookView extends Pick<RequestedWebhook, 'events'> {
  host: string;
}

type TaskView = Omit<Task, 'id' | 'request_id' | 'expected_seconds'>;

/** A video's progress, computed when it is read. */
export interface Progress {
  /** 0 to 100; never decreases except by a retry. */
  progress: number;
  /** ISO 8601 UTC; only for a running video. */
  estimated_finish_at?: string;
}

/**
 * Returns the API's view of a video. Lists each field, so that a new field of the record stays internal until it is added here.
 * @param now milliseconds since 1970
 */
export function viewOf(video: VideoRecord, now: number, position?: QueuePosition): VideoView {
  const { id, owner, status, created_at, updated_at, model, input, parameters, source, metadata, warnings } = video;
  const { task, video: archived, usage, error, timeline } = video;
  const { estimated_cost, cost, expires_at, derived_from, webhook } = video;
  return {
    id,
    owner,
    status,
    created_at,
    updated_at,
    model,
    input,
    parameters,
    source,
    ...(derived_from ? { derived_from } : {}),
    metadata,
    ...(webhook ? { webhook: { host: new URL(webhook.url).host, events: webhook.events } } : {}),
    warnings,
    ...progressOf(video, now),
    ...position,
    ...(estimated_cost ? { estimated_cost } : {}),
    ...(task ? { task: viewOfTask(task) } : {}),
    ...(archived ? { video: archived } : {}),
    ...(expires_at ? { expires_at } : {}),
    ...(usage ? { usage } : {}),
    ...(cost ? { cost } : {}),
    ...(error ? { error } : {}),
    timeline,
  };
}

/** The progress, in percent, when the task is submitted and when archiving starts. In between it follows the task's age. */
const PROGRESS_PERCENT = { submitted: 10, archiving: 90 };

/** An overdue task is expected to take this share of its age longer. */
const OVERDUE_SHARE = 0.1;

/** Returns the progress of a video. That of a failed or canceled video stays as it was when it ended. @param now milliseconds since 1970 */
export function progressOf(
  { status, task, updated_at }: Pick<VideoRecord, 'status' | 'task' | 'updated_at'>,
  now: number,
): Progress {
  switch (status) {
    case 'queued':
    case 'submitting':
      return { progress: 0 };
    case 'archiving':
      return { progress: PROGRESS_PERCENT.archiving };
    case 'succeeded':
      return { progress: 100 };
  }
  if (!task) return { progress: 0 };
  const submitted = Date.parse(task.submit_time);
  const age = Math.max(0, (status === 'running' ? now : Date.parse(updated_at)) - submitted);
  const expected = task.expected_seconds * 1000;
  const share = Math.min(1, age / expected);
  const progress = Math.round(
    PROGRESS_PERCENT.submitted + (PROGRESS_PERCENT.archiving - PROGRESS_PERCENT.submitted) * share,
  );
  if (status !== 'running') return { progress };
  const finish = submitted + Math.max(expected, age * (1 + OVERDUE_SHARE));
  return { progress, estimated_finish_at: new Date(finish).toISOString() };
}

function viewOfTask(task: Task): TaskView {
  const { status, region, submit_time, scheduled_time, end_time, expires_at, attempts, actual_prompt } = task;
  return {
    status,
    region,
    submit_time,
    ...(scheduled_time ? { scheduled_time } : {}),
    ...(end_time ? { end_time } : {}),
    expires_at,
    attempts,
    ...(actual_prompt ? { actual_prompt } : {}),
  };
}

/** The position of a queued video. */
export interface QueuePosition {
  /** 1 is the next video to start. */
  queue_position: number;
  /** A rough estimate, ISO 8601 UTC. */
  estimated_start_at: string;
}
