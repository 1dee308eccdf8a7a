import type { Task, VideoRecord } from './record.ts';

/**
 * A video as its owner sees it: the record without Wan's task id and without what only our own bookkeeping needs (invariant 7), and,
 * while it is queued, its place there.
 */
export type VideoView = Omit<
  VideoRecord,
  'task' | 'submission' | 'request_hash' | 'run' | 'earlier_runs' | 'downloads' | 'spending_month' | 'upstream_tasks'
> & {
  task?: TaskView;
} & Progress &
  Partial<QueuePosition>;

type TaskView = Omit<Task, 'id' | 'request_id' | 'expected_seconds'>;

/** How far a video is, by the clock: no part of the record. */
export interface Progress {
  /** 0 to 100; only grows, until a retry begins anew. */
  progress: number;
  /** ISO 8601 UTC, of a video whose task runs. */
  estimated_finish_at?: string;
}

/**
 * What leaves through the API: listed field by field, so that a new field of the record stays inside until it is named here.
 * @param now milliseconds since 1970
 */
export function viewOf(video: VideoRecord, now: number, place?: QueuePosition): VideoView {
  const { id, owner, status, created_at, updated_at, model, input, parameters, source, metadata, warnings } = video;
  const { image, audio, task, video: archived, usage, error, timeline } = video;
  const { estimated_cost, cost } = video;
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
    metadata,
    warnings,
    ...progressOf(video, now),
    ...place,
    ...(image ? { image } : {}),
    ...(audio ? { audio } : {}),
    ...(estimated_cost ? { estimated_cost } : {}),
    ...(task ? { task: viewOfTask(task) } : {}),
    ...(archived ? { video: archived } : {}),
    ...(usage ? { usage } : {}),
    ...(cost ? { cost } : {}),
    ...(error ? { error } : {}),
    timeline,
  };
}

/** What the start and the archive of a video count for in its progress, in percent: the rest is the time of its task. */
const SHARES = { submitted: 10, archiving: 90 };

/** How late a task is taken to be, as a part of its age, when it takes longer than expected. */
const OVERDUE_PART = 0.1;

/** How far a video is. One that has ended stays where it was then. */
export function progressOf(
  { status, task, updated_at }: Pick<VideoRecord, 'status' | 'task' | 'updated_at'>,
  now: number,
): Progress {
  switch (status) {
    case 'queued':
    case 'submitting':
      return { progress: 0 };
    case 'archiving':
      return { progress: SHARES.archiving };
    case 'succeeded':
      return { progress: 100 };
  }
  if (!task) return { progress: 0 };
  const submitted = Date.parse(task.submit_time);
  const age = Math.max(0, (status === 'running' ? now : Date.parse(updated_at)) - submitted);
  const expected = task.expected_seconds * 1000;
  const share = Math.min(1, age / expected);
  const progress = Math.round(SHARES.submitted + (SHARES.archiving - SHARES.submitted) * share);
  if (status !== 'running') return { progress };
  const finish = submitted + Math.max(expected, age * (1 + OVERDUE_PART));
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

/** Where a queued video stands. */
export interface QueuePosition {
  /** 1 is the next to be started. */
  queue_position: number;
  /** A rough estimate, ISO 8601 UTC. */
  estimated_start_at: string;
}
