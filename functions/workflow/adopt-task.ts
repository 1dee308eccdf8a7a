import { releasePromptLock } from '../ledger/prompt-lock.ts';
import { claimTask } from '../ledger/submission.ts';
import { expiryOf } from '../ledger/task-lifetime.ts';
import { typicalSecondsOf } from '../polling/durations.ts';
import { waitFor } from '../polling/wait-item.ts';
import { startWatcherIfNone } from '../polling/watcher-lease.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import type { Task, VideoRecord } from '../video/record.ts';
import { changeStatus } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { redact } from '../wan/redact.ts';
import type { CreateTaskOutput } from './step-handler.ts';

export interface AdoptServices {
  table: Table;
  wanRegion: string;
  /** What the deployment says of how long a task takes; undefined leaves it to the catalogue, until it is learned. */
  configuredSeconds: number | undefined;
  recordMetric: RecordMetric;
  /** Starts a watcher and does not wait for it. */
  startWatcher: () => Promise<void>;
  /** Called when no watcher could be started: the rule starts one within a minute. */
  onWatcherNotStarted: (error: unknown) => void;
}

/**
 * Writes a task that was created, or found, to its video.
 * @returns undefined when the task belongs to another video, or this one moved on
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
    // Wan's own words, which may have any length; an item has 400 KB.
    status: redact(known.status),
    ...(known.request_id ? { request_id: redact(known.request_id) } : {}),
    region: services.wanRegion,
    expires_at: expiryOf(known.submit_time),
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

/** How the execution of a video that has a task goes on: it waits for the task to end, or archives what is made already. */
export async function waitForTask(
  services: AdoptServices,
  video: VideoRecord & { task: Task },
): Promise<CreateTaskOutput> {
  const { table } = services;
  const { id, run, task } = video;
  if (video.status === 'archiving') return { id, run, outcome: 'succeeded' };
  try {
    if (!(await startWatcherIfNone(table))) await services.startWatcher();
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
