import * as z from 'zod';

/*
 * The fields that are read from Wan's responses. An optional field with an unexpected type is dropped: a paid video must not be lost because
 * of an unexpected usage.
 */
const optionalText = z
  .string()
  .nullish()
  .catch(undefined)
  .transform((text) => text || undefined);
const optionalNumber = z
  .number()
  .nullish()
  .catch(undefined)
  .transform((number) => number ?? undefined);

/** An error response; `code` identifies it (reference, "Error response"). */
export const errorResponse = z.object({ code: z.string().min(1), message: optionalText, request_id: optionalText });

const taskId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/);

/** Whether a text is safe in the path of a task. */
export function isTaskId(text: string): boolean {
  return taskId.safeParse(text).success;
}

export const createResponse = z.object({
  output: z.object({ task_id: taskId, task_status: optionalText }),
  request_id: optionalText,
});

export const cancelResponse = z.object({ request_id: optionalText });

export const usageResponse = z.object({
  duration: optionalNumber,
  input_video_duration: optionalNumber,
  output_video_duration: optionalNumber,
  video_duration: optionalNumber,
  video_ratio: optionalText,
  video_count: optionalNumber,
  SR: optionalNumber,
  fps: optionalNumber,
  ratio: optionalText,
});

export const taskResponse = z.object({
  output: z.object({
    task_id: optionalText,
    task_status: z.string().min(1),
    submit_time: optionalText,
    scheduled_time: optionalText,
    end_time: optionalText,
    orig_prompt: z.string().nullish().catch(undefined),
    actual_prompt: z.string().nullish().catch(undefined),
    video_url: optionalText,
    code: optionalText,
    message: optionalText,
  }),
  usage: usageResponse.nullish().catch(undefined),
  request_id: optionalText,
});

const listedTask = z.object({
  task_id: taskId,
  status: z.string().min(1),
  model_name: optionalText,
  gmt_create: z.coerce.number().int().positive().max(8.64e15).nullish().catch(undefined),
});

export const listResponse = z.object({ data: z.array(listedTask), total_page: optionalNumber });

export const policyResponse = z.object({
  data: z.object({
    policy: z.string(),
    signature: z.string(),
    upload_dir: z.string().min(1),
    upload_host: z.string(),
    oss_access_key_id: z.string(),
    x_oss_object_acl: optionalText,
    x_oss_forbid_overwrite: z.coerce.string().nullish().catch(undefined),
    max_file_size_mb: z.coerce.number().nullish().catch(undefined),
  }),
});
