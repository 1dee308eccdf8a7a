import * as z from 'zod';
import { aliasNames, modelNames, ratios, resolutionNames } from '../../wan/catalogue.ts';
import { taskStatuses } from '../../wan/client/query-task.ts';

/*
 * The reference's requests and responses as these routes implement them, for the contract (OpenAPI) and for tests. `checkRequest` validates
 * the requests, as tolerantly as Wan does.
 */

const requestId = z.string().meta({ description: 'The unique id of the request.' });
const taskId = z.string().meta({ description: 'The id of the task, which is also the id of the video.' });
const status = z.enum(taskStatuses);
const wanTime = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}$/)
  .meta({ description: 'UTC+8.', examples: ['2025-09-25 11:07:28.590'] });
const milliseconds = z.int().meta({ description: 'Milliseconds since 1970.' });

/** "Error response". */
export const errorBody = z.strictObject({
  code: z.string().meta({ examples: ['InvalidApiKey'] }),
  message: z.string(),
  request_id: requestId,
});

/** "Request body" of step 1. Unknown fields are ignored, and null equals a missing field. */
export const createTaskBody = z.looseObject({
  model: z.enum([...modelNames, ...aliasNames]),
  input: z.looseObject({
    prompt: z.string().nullish(),
    negative_prompt: z.string().nullish(),
    template: z.string().nullish(),
    media: z
      .array(z.looseObject({ type: z.string(), url: z.string() }))
      .nullish()
      .meta({ description: 'Each `url` is an http(s) or oss:// URL, or a data: URL.' }),
    img_url: z.string().nullish().meta({ description: 'An http(s) or oss:// URL, a data: URL, or bare base64.' }),
    last_frame_url: z.string().nullish(),
    audio_url: z.string().nullish(),
  }),
  parameters: z
    .looseObject({
      resolution: z.enum(resolutionNames).nullish(),
      duration: z.int().min(-1).max(60).nullish(),
      prompt_extend: z.boolean().nullish(),
      shot_type: z.enum(['single', 'multi']).nullish(),
      watermark: z.boolean().nullish(),
      seed: z.int().min(0).max(2_147_483_647).nullish(),
      ratio: z.enum(ratios).nullish(),
      audio: z.boolean().nullish(),
    })
    .nullish(),
});

const createTaskMembers = z.strictObject({
  output: z.strictObject({ task_status: z.literal('PENDING'), task_id: taskId }),
});
export type CreateTaskResponse = z.infer<typeof createTaskMembers>;
export const createTaskResponseBody = createTaskMembers.extend({ request_id: requestId });

const usageOf = z.union([
  z.strictObject({
    duration: z.number(),
    input_video_duration: z.number(),
    output_video_duration: z.number(),
    video_count: z.literal(1),
    SR: z.int(),
    audio: z.boolean().optional(),
    fps: z.number().optional(),
    ratio: z.string().optional(),
  }),
  z.strictObject({ duration: z.number(), video_count: z.literal(1), SR: z.int() }),
  z.strictObject({ video_duration: z.number(), video_ratio: z.literal('standard'), video_count: z.literal(1) }),
]);
/** "usage object": one shape for each family of models. */
export type TaskUsage = z.infer<typeof usageOf>;

const queryTaskMembers = z.strictObject({
  output: z.strictObject({
    task_id: taskId,
    task_status: status,
    submit_time: wanTime.optional(),
    scheduled_time: wanTime.optional(),
    end_time: wanTime.optional(),
    orig_prompt: z.string().optional(),
    actual_prompt: z.string().optional(),
    video_url: z.url().optional(),
    code: z.string().optional(),
    message: z.string().optional(),
  }),
  usage: usageOf.optional(),
});
export type QueryTaskResponse = z.infer<typeof queryTaskMembers>;
export const queryTaskResponseBody = queryTaskMembers.extend({ request_id: requestId });

const queryTime = z
  .string()
  .regex(/^([1-9]\d{3}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d)?$/)
  .optional();
const queryNumber = (pattern: RegExp) => z.string().max(7).regex(pattern).optional();

/** Facts, "Task management". An empty parameter equals a missing one. For the contract only: the handler validates by itself. */
export const listTasksQuery = z.object({
  task_id: z.string().optional(),
  start_time: queryTime,
  end_time: queryTime,
  model_name: z.string().optional(),
  status: z.enum([...taskStatuses, '']).optional(),
  api_key_id: z.string().optional(),
  region: z.string().optional(),
  page_no: queryNumber(/^(0*([1-9]\d{0,5}|1000000))?$/),
  page_size: queryNumber(/^(0*([1-9]\d?|100))?$/),
});

const taskRow = z.strictObject({
  task_id: taskId,
  status,
  model_name: z.string(),
  gmt_create: milliseconds,
  start_time: milliseconds.optional(),
  end_time: milliseconds.optional(),
  region: z.string(),
  api_key_id: z.string(),
  request_id: z.string(),
  caller_uid: z.string(),
  caller_parent_id: z.string(),
  user_api_unique_key: z.string(),
});
export type TaskRow = z.infer<typeof taskRow>;

const listTasksMembers = z.strictObject({
  total: z.int(),
  data: z.array(taskRow),
  total_page: z.int(),
  page_no: z.int(),
  page_size: z.int(),
});
export type ListTasksResponse = z.infer<typeof listTasksMembers>;
export const listTasksResponseBody = listTasksMembers.extend({ request_id: requestId });

/** The response to a cancelation and to an uploaded file. */
export const requestIdResponseBody = z.strictObject({ request_id: requestId });

export const uploadPolicyQuery = z.object({ action: z.literal('getPolicy'), model: z.string() });

const uploadPolicyMembers = z.strictObject({
  data: z.strictObject({
    policy: z.string(),
    signature: z.string(),
    upload_dir: z.string(),
    upload_host: z.url(),
    expire_in_seconds: z.int(),
    max_file_size_mb: z.int(),
    capacity_limit_mb: z.int(),
    oss_access_key_id: z.string(),
    x_oss_object_acl: z.literal('private'),
    x_oss_forbid_overwrite: z.literal('true'),
  }),
});
export type UploadPolicyResponse = z.infer<typeof uploadPolicyMembers>;
export const uploadPolicyResponseBody = uploadPolicyMembers.extend({ request_id: requestId });

/** The form that a file is sent with. Its other fields (policy, signature, access rights) are ignored. */
export const uploadForm = z.looseObject({
  key: z.string().meta({ description: 'upload_dir, a slash and the name of the file.' }),
  file: z.string().meta({
    format: 'binary',
    description: 'A JPEG, PNG, BMP or WEBP image, a WAV or MP3 audio file, or an MP4 or MOV video.',
  }),
});
