import { nextCheck } from '../video/check-schedule.ts';
import { leaveFence } from '../video/fence.ts';
import type { Task, VideoRecord } from '../video/record.ts';
import { changeStatus, type Table } from '../video/store.ts';
import { claimTask } from '../video/task-claim.ts';
import { redact } from '../wan/redact.ts';
import { expiryOf } from './forgotten.ts';
import type { CreateTaskOutput } from './payload.ts';

export interface AdoptServices {
  table: Table;
  wanRegion: string;
  typicalSeconds: (video: VideoRecord) => number;
  /** Permits of all lanes together. */
  permits: number;
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
  const running = await changeStatus(table, video, 'running', {
    set: {
      task,
      submission: { ...video.submission!, state: 'settled' },
      progress: 10,
      estimated_finish_at: new Date(
        Date.parse(known.submit_time) + services.typicalSeconds(video) * 1000,
      ).toISOString(),
    },
  });
  if (!running) return undefined;
  await leaveFence(table, running);
  return firstCheck(services, running);
}

/** What the workflow does about a video that has a task: it looks at it when it could be done, and at one that is done at once. */
export function firstCheck(services: AdoptServices, video: VideoRecord): CreateTaskOutput {
  const now = services.table.now();
  const { submit_time } = video.task!;
  const check_at =
    video.status === 'archiving'
      ? new Date(now).toISOString()
      : nextCheck({ submit_time, typical_seconds: services.typicalSeconds(video) }, services.permits, now);
  return { id: video.id, run: video.run, outcome: 'created', check_at };
}
