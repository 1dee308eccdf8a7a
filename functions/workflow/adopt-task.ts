import { releasePromptLock } from '../ledger/prompt-lock.ts';
import { claimTask } from '../ledger/submission.ts';
import { taskExpiry } from '../ledger/task-lifetime.ts';
import { type ConfiguredSeconds, typicalSecondsOf } from '../polling/durations.ts';
import { waitFor } from '../polling/wait-item.ts';
import { keepWatcherAlive } from '../polling/watcher-lease.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import type { Task, VideoRecord } from '../video/record.ts';
import { changeStatus } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { redact } from '../wan/redact.ts';
import type { CreateTaskOutput } from './step-handler.ts';

export interface AdoptServices {
  table: Table;
  wanRegion: string;
  /** The configured duration of a task in seconds. Undefined uses the catalogue's until durations are learned. */
  configuredSeconds: ConfiguredSeconds;
  recordMetric: RecordMetric;
  /** Starts a watcher and does not wait for it. */
  startWatcher: () => Promise<void>;
  /** Called when no watcher could be started: the rule starts one within a minute. */
  onWatcherNotStarted: (error: unknown) => void;
}

/**
 * Writes a created or found task to its video's record.
 * @returns undefined when another video owns the task, or this video's status or run has changed
 */
export async function adoptTask(
  services: AdoptServices,
  video: VideoRecord,
  known: Pick<Task, 'id' | 'status' | 'request_id' | 'submit_time'>,
): Promise<CreateTaskOutput | undefined> {
  const { table } = services;
  if (!(await claimTask(table, known.id, video))) return undefined;
  const task: Task = {
    ...known,
    // Wan's text may have any length; a DynamoDB item holds 400 KB.
    status: redact(known.status),
    ...(known.request_id ? { request_id: redact(known.request_id) } : {}),
    region: services.wanRegion,
    expires_at: taskExpiry(known.submit_time),
    expected_seconds: await typicalSecondsOf(table, video, services.configuredSeconds),
    attempts: video.submission!.attempt,
  };
  const upstream_tasks = (video.upstream_tasks ?? 0) + 1;
  const running = await changeStatus(table, video, 'running', {
    set: { task, upstream_tasks, submission: { ...video.submission!, state: 'settled' } },
  });
  if (!running) return undefined;
  services.recordMetric('UpstreamTasksPerVideo', upstream_tasks);
  await releasePromptLock(table, running);
  return waitForTask(services, { ...running, task });
}

/** Returns the next step of a video that has a task: wait for the task, or archive its result. Makes sure that a watcher runs. */
export async function waitForTask(
  services: AdoptServices,
  video: VideoRecord & { task: Task },
): Promise<CreateTaskOutput> {
  const { table } = services;
  const { id, run, task } = video;
  if (video.status === 'archiving') return { id, run, outcome: 'succeeded' };
  try {
    if (!(await keepWatcherAlive(table))) await services.startWatcher();
  } catch (error) {
    services.onWatcherNotStarted(error);
  }
  return {
    id,
    run,
    outcome: 'created',
    wait: waitFor(video, { now: table.now(), typicalSeconds: task.expected_seconds }),
  };
}
