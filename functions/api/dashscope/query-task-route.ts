import type { Caller } from '../../shared/caller.ts';
import type { VideoRecord } from '../../video/record.ts';
import { readVideo } from '../../video/store.ts';
import { isoToWanTime } from '../../wan/time.ts';
import type { QueryTaskAnswer } from './schemas.ts';
import type { DashscopeRequest, DashscopeServices } from './services.ts';
import { taskFailure, taskStatus, taskTimes, taskUsage } from './task-status.ts';

/** `GET tasks/{id}` (reference, "Step 2"); a task can be asked about for as long as its video is kept. */
export async function queryTask(
  services: DashscopeServices,
  _request: DashscopeRequest,
  caller: Caller,
  taskId: string,
): Promise<QueryTaskAnswer> {
  const video = await ownTask(services, caller, taskId);
  return video ? describeTask(services, video) : { output: { task_id: taskId, task_status: 'UNKNOWN' } };
}

/**
 * The caller's video behind a task's id. One look at the table for whatever is asked, so that another owner's id, a deleted one's
 * and one that none can have differ in nothing (invariant 7).
 */
export async function ownTask(
  { table }: Pick<DashscopeServices, 'table'>,
  { owner }: Caller,
  taskId: string,
): Promise<VideoRecord | undefined> {
  // As long as ids are: the table's keys have a limit.
  const video = await readVideo(table, taskId.slice(0, 36));
  return video?.id === taskId && video.owner === owner ? video : undefined;
}

async function describeTask({ linkTo }: DashscopeServices, video: VideoRecord): Promise<QueryTaskAnswer> {
  const { id, input, task, video: archived, error } = video;
  const status = taskStatus(video);
  const { submitted, scheduled, ended } = taskTimes(video);
  const output = {
    task_id: id,
    task_status: status,
    submit_time: isoToWanTime(submitted),
    ...(scheduled ? { scheduled_time: isoToWanTime(scheduled) } : {}),
    ...(ended ? { end_time: isoToWanTime(ended) } : {}),
    orig_prompt: input.prompt ?? '',
  };
  if (status === 'FAILED' && error) return { output: { ...output, ...taskFailure(error) } };
  if (status !== 'SUCCEEDED' || !archived) return { output };
  const { content_type } = archived;
  return {
    output: {
      ...output,
      ...(task?.actual_prompt === undefined ? {} : { actual_prompt: task.actual_prompt }),
      video_url: await linkTo(archived, { file_name: `${id}.mp4`, content_type }),
    },
    usage: taskUsage(video),
  };
}
