import { leaveFence } from '../ledger/prompt-lock.ts';
import { claimTask } from '../ledger/submission.ts';
import { expiryOf } from '../ledger/task-lifetime.ts';
import { nextCheck } from '../polling/check-schedule.ts';
import { estimateOf } from '../polling/duration-estimate.ts';
import type { Measure } from '../shared/metrics.ts';
import type { Task, VideoRecord } from '../video/record.ts';
import { changeStatus } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { redact } from '../wan/redact.ts';
import type { CreateTaskOutput } from './step-handler.ts';

export interface AdoptServices {
  table: Table;
  wanRegion: string;
  /** What the deployment says of how long a task takes; undefined leaves it to the catalogue, until it is learnt. */
  configuredSeconds: number | undefined;
  measure: Measure;
  /** From 0 up to, not including, 1. */
  random: () => number;
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
    attempts: video.submission!.attempt,
  };
  const { typical_seconds } = await estimateOf(table, video, services.configuredSeconds);
  const upstream_tasks = (video.upstream_tasks ?? 0) + 1;
  const running = await changeStatus(table, video, 'running', {
    set: {
      task,
      upstream_tasks,
      submission: { ...video.submission!, state: 'settled' },
      progress: 10,
      estimated_finish_at: new Date(Date.parse(known.submit_time) + typical_seconds * 1000).toISOString(),
    },
  });
  if (!running) return undefined;
  services.measure('UpstreamTasksPerVideo', upstream_tasks);
  await leaveFence(table, running);
  return firstCheck(services, running);
}

/** What the workflow does about a video that has a task: it looks at it when it could be done, and at one that is done at once. */
export async function firstCheck(services: AdoptServices, video: VideoRecord): Promise<CreateTaskOutput> {
  const { table, configuredSeconds, random } = services;
  const estimate = await estimateOf(table, video, configuredSeconds);
  const now = table.now();
  const check_at =
    video.status === 'archiving'
      ? new Date(now).toISOString()
      : nextCheck(video.task!, estimate, { now, company: 'none', random });
  return { id: video.id, run: video.run, outcome: 'created', check_at };
}
