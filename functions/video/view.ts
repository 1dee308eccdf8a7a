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
} & Partial<QueuePlace>;

type TaskView = Omit<Task, 'id' | 'request_id'>;

/** What leaves through the API: listed field by field, so that a new field of the record stays inside until it is named here. */
export function viewOf(video: VideoRecord, place?: QueuePlace): VideoView {
  const { id, owner, status, created_at, updated_at, model, input, parameters, source, metadata, warnings, progress } =
    video;
  const { estimated_finish_at, image, sound, task, video: archived, usage, error, timeline } = video;
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
    progress,
    ...place,
    ...(estimated_finish_at ? { estimated_finish_at } : {}),
    ...(image ? { image } : {}),
    ...(sound ? { sound } : {}),
    ...(estimated_cost ? { estimated_cost } : {}),
    ...(task ? { task: viewOfTask(task) } : {}),
    ...(archived ? { video: archived } : {}),
    ...(usage ? { usage } : {}),
    ...(cost ? { cost } : {}),
    ...(error ? { error } : {}),
    timeline,
  };
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
export interface QueuePlace {
  /** 1 is the next to be started. */
  queue_position: number;
  /** A rough estimate, ISO 8601 UTC. */
  estimated_start_at: string;
}
