import type * as z from 'zod';
import { omitUndefined } from '../../shared/json-body.ts';
import { redact } from '../redact.ts';
import { wanTimeToIso } from '../time.ts';
import type { Connection } from './connection.ts';
import { type NoResponse, query } from './connection.ts';
import { unavailable } from './rejections.ts';
import { isTaskId, taskResponse, type usageResponse } from './response-schemas.ts';

export const taskStatuses = ['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'UNKNOWN'] as const;
export type TaskStatus = (typeof taskStatuses)[number];

/** Billed seconds and what else Wan counts; which fields there are depends on the model (reference, "usage object"). */
export type Usage = Partial<z.output<typeof usageResponse>>;

export type Task = {
  outcome: 'task';
  status: TaskStatus;
  task_id: string;
  request_id?: string;
  /** ISO 8601, UTC; a time that can't be read is left out. */
  submit_time?: string;
  scheduled_time?: string;
  end_time?: string;
  orig_prompt?: string;
  /** At most 20,000 characters. */
  actual_prompt?: string;
  /** There always is one when the status is SUCCEEDED. Untrusted: see `isTrustedVideoUrl`. */
  video_url?: string;
  usage?: Usage;
  /** Wan's error code and words of a FAILED task, for `explainFailure`. */
  code?: string;
  message?: string;
};

/** Many times what a model reads of a prompt, and far below the 400 KB of an item. */
const MAX_PROMPT_CHARACTERS = 20_000;

export type QueryOutcome =
  | Task
  /** A status that the reference does not list: raise an alarm, and do not wait forever. */
  | { outcome: 'unrecognised'; status: string; task_id: string; request_id?: string }
  | NoResponse;

/**
 * Queries a task's status and result. An inconsistent response, such as SUCCEEDED without a video, is `unavailable` with the cause
 * `response_malformed`.
 * @throws TypeError for an invalid task id
 */
export async function queryTask(connection: Connection, taskId: string, signal?: AbortSignal): Promise<QueryOutcome> {
  if (!isTaskId(taskId)) throw new TypeError('The task id is invalid.');
  const response = await query(connection, { method: 'GET', path: `/tasks/${taskId}`, kind: 'query', signal });
  if (response.outcome !== 'responded') return response;
  const parsed = taskResponse.safeParse(response.body);
  if (!parsed.success) return unavailable('response_malformed');
  const { output, usage, request_id } = parsed.data;
  if (output.task_id !== undefined && output.task_id !== taskId) return unavailable('response_malformed');
  const status = taskStatuses.find((known) => known === output.task_status);
  const ids = { task_id: taskId, ...(request_id ? { request_id: redact(request_id) } : {}) };
  if (!status) return { outcome: 'unrecognised', status: redact(output.task_status), ...ids };
  if (status === 'SUCCEEDED' && !output.video_url) return unavailable('response_malformed');
  const secrets = [output.orig_prompt ?? undefined, output.actual_prompt ?? undefined];
  return omitUndefined({
    outcome: 'task',
    status,
    ...ids,
    submit_time: output.submit_time && wanTimeToIso(output.submit_time),
    scheduled_time: output.scheduled_time && wanTimeToIso(output.scheduled_time),
    end_time: output.end_time && wanTimeToIso(output.end_time),
    orig_prompt: output.orig_prompt ?? undefined,
    actual_prompt: output.actual_prompt ? beginning(output.actual_prompt, MAX_PROMPT_CHARACTERS) : undefined,
    video_url: output.video_url,
    usage: usage ? storable(usage) : undefined,
    code: output.code && redact(output.code),
    message: output.message && redact(output.message, secrets),
  });
}

/** The seconds that Wan bills for a task; undefined if its usage does not contain them (reference, "usage object"). */
export function billedSeconds(usage: Usage | undefined): number | undefined {
  const output = outputSeconds(usage);
  const sum = output === undefined ? undefined : output + (usage?.input_video_duration ?? 0);
  return [usage?.duration, usage?.video_duration, sum].find(isCounted);
}

/** The seconds of the video itself, where Wan reports them. */
export const outputSeconds = (usage: Usage | undefined): number | undefined =>
  [usage?.output_video_duration].find(isCounted);

/** Fields of other models may be 0, so only a positive number counts. */
const isCounted = (seconds: number | undefined): boolean => seconds !== undefined && seconds > 0;

/** Removes implausible counts: DynamoDB refuses extreme numbers, and a paid video must not be lost because of an unexpected usage. */
function storable(usage: Usage): Usage {
  const { video_ratio, ratio, ...counts } = usage;
  const plausible = Object.entries(counts).filter(([, count]) => count === 0 || (count >= 0.001 && count <= 1_000_000));
  return {
    ...Object.fromEntries(plausible),
    ...(video_ratio ? { video_ratio: redact(video_ratio) } : {}),
    ...(ratio ? { ratio: redact(ratio) } : {}),
  };
}

/** The first characters of a text, without cutting a character in half. */
const beginning = (text: string, characters: number): string =>
  // A character has at most two UTF-16 units, so longer texts need not be split as a whole.
  text.length <= characters ? text : [...text.slice(0, 2 * characters)].slice(0, characters).join('');
