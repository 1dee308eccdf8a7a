import type { Caller } from '../../shared/caller.ts';
import { type Failure, isFileExpired, type VideoRecord } from '../../video/record.ts';
import { readVideo } from '../../video/store.ts';
import { findModel } from '../../wan/catalogue.ts';
import { billedSeconds, outputSeconds, type TaskStatus } from '../../wan/client/query-task.ts';
import { type FailureCode, failureCodes } from '../../wan/failures.ts';
import { isoToWanTime } from '../../wan/time.ts';
import { documentedMessage, type ReferenceCode, referenceOfIssue } from './errors.ts';
import { createFileLink } from './file-link.ts';
import type { QueryTaskResponse, TaskUsage } from './schemas.ts';
import type { DashscopeRequest, DashscopeServices } from './services.ts';

/** `GET tasks/{id}` (reference, "Step 2"). A task can be queried for as long as its video exists; then it is UNKNOWN, as at Wan. */
export async function queryTask(
  services: DashscopeServices,
  request: DashscopeRequest,
  caller: Caller,
  taskId: string,
): Promise<QueryTaskResponse> {
  const video = await ownTask(services, caller, taskId);
  const isKnown = video && !isFileExpired(video, services.table.now());
  return isKnown ? describeTask(services, request, video) : { output: { task_id: taskId, task_status: 'UNKNOWN' } };
}

/**
 * The caller's video behind a task id. Every id costs one read, so that another owner's id, a deleted one and an invalid one cannot be
 * distinguished (invariant 7).
 */
export async function ownTask(
  { table }: Pick<DashscopeServices, 'table'>,
  { owner }: Caller,
  taskId: string,
): Promise<VideoRecord | undefined> {
  // Cut to the length of an id, because the table's keys have a limit.
  const video = await readVideo(table, taskId.slice(0, 36));
  return video?.id === taskId && video.owner === owner ? video : undefined;
}

async function describeTask(
  services: DashscopeServices,
  request: DashscopeRequest,
  video: VideoRecord,
): Promise<QueryTaskResponse> {
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
  return {
    output: {
      ...output,
      ...(task?.actual_prompt === undefined ? {} : { actual_prompt: task.actual_prompt }),
      video_url: await createFileLink(services, request, id),
    },
    usage: taskUsage(video),
  };
}

/**
 * A video's status in the reference's terms. Queued videos are PENDING, because they can be canceled; archiving ones are RUNNING, because
 * the file cannot be fetched yet.
 */
export function taskStatus({ status, task }: Pick<VideoRecord, 'status' | 'task'>): Exclude<TaskStatus, 'UNKNOWN'> {
  switch (status) {
    case 'queued':
    case 'submitting':
      return 'PENDING';
    case 'running':
      return task?.status === 'PENDING' ? 'PENDING' : 'RUNNING';
    case 'archiving':
      return 'RUNNING';
    case 'succeeded':
      return 'SUCCEEDED';
    case 'failed':
      return 'FAILED';
    case 'canceled':
      return 'CANCELED';
  }
}

/** When a task was submitted to firstframe, started at Wan, and ended: ISO 8601 UTC, always in order. */
export function taskTimes(video: Pick<VideoRecord, 'status' | 'task' | 'created_at' | 'timeline'>): {
  submitted: string;
  scheduled?: string;
  ended?: string;
} {
  const status = taskStatus(video);
  const submitted = video.created_at;
  const ended = ['SUCCEEDED', 'FAILED', 'CANCELED'].includes(status) ? video.timeline.at(-1)?.at : undefined;
  const scheduled = status === 'PENDING' || status === 'CANCELED' ? undefined : video.task?.scheduled_time;
  return {
    submitted,
    // Wan's clock may differ from ours.
    ...(scheduled ? { scheduled: between(submitted, scheduled, ended) } : {}),
    ...(ended ? { ended } : {}),
  };
}

function between(earliest: string, time: string, latest: string | undefined): string {
  if (time < earliest) return earliest;
  return latest !== undefined && time > latest ? latest : time;
}

/**
 * The reference's code for each failure code. Where several of Wan's codes map to one of ours, this is the most general; failures of
 * firstframe itself are InternalError, and an unavailable service is ModelUnavailable.
 */
const references: Record<FailureCode, ReferenceCode> = {
  invalid_request: 'InvalidParameter',
  image_refused: 'InvalidURL',
  image_unreachable: 'InvalidParameter.DataInspection',
  image_gone: 'InvalidParameter.DataInspection',
  content_refused: 'DataInspectionFailed',
  ip_infringement: 'IPInfringementSuspect',
  model_unavailable: 'ModelNotFound',
  generation_failed: 'InternalError',
  generation_timed_out: 'InternalError.Timeout',
  deadline_exceeded: 'InternalError.Timeout',
  service_unavailable: 'ModelUnavailable',
  rate_limited: 'Throttling.RateQuota',
  // The account belongs to the deployment, not to the caller: to the caller the service is unavailable.
  account_on_hold: 'ModelUnavailable',
  // For the reason see the same code in errors.ts.
  spending_limit_reached: 'Arrearage',
  // Whether it was billed is unknown. Clients retry throttling codes by themselves, and might pay twice.
  submission_uncertain: 'InternalError',
  task_expired: 'InternalError',
  task_canceled: 'InternalError',
  canceled: 'InternalError',
  video_lost: 'InternalError',
  video_broken: 'InternalError',
  internal_error: 'InternalError',
};

/** `code` and `message` of a FAILED task: the reference's message, then our own, then what to do. */
function taskFailure({ code, message: reason, hint }: Failure): { code: ReferenceCode; message: string } {
  const message = `${reason} ${hint}`;
  const known = failureCodes.find((failure) => failure === code);
  // A refused drop has the code of its first issue.
  const reference = known ? references[known] : referenceOfIssue({ pointer: '/input/img_url', code }).code;
  if (reference === 'InvalidParameter') return { code: reference, message };
  return { code: reference, message: `${documentedMessage(reference)} ${message}` };
}

/** The `usage` of a SUCCEEDED task, with the members of its model's family (reference, "usage object"). */
function taskUsage({ model: name, family, parameters, usage }: VideoRecord): TaskUsage {
  const model = findModel(family ?? name);
  const duration = billedSeconds(usage) ?? Math.max(0, parameters.duration ?? 0);
  const SR = Number.parseInt(parameters.resolution ?? '', 10) || (usage?.SR ?? 0);
  switch (model?.usage_family) {
    case 'wan2.1':
      return { video_duration: duration, video_ratio: 'standard', video_count: 1 };
    case 'wan3.0':
    case 'wan2.6':
      return {
        duration,
        input_video_duration: usage?.input_video_duration ?? 0,
        output_video_duration: outputSeconds(usage) ?? duration,
        video_count: 1,
        SR,
        ...(model.usage_family === 'wan3.0'
          ? { ...(usage?.fps ? { fps: usage.fps } : {}), ratio: usage?.ratio ?? parameters.ratio ?? 'adaptive' }
          : {}),
        ...(model.usage_family === 'wan2.6' && model.audio_switch ? { audio: parameters.audio ?? true } : {}),
      };
    default:
      return { duration, video_count: 1, SR };
  }
}
