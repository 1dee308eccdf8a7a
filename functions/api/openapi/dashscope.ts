import { aliasNames, modelNames } from '../../wan/catalogue.ts';
import {
  createTaskBody,
  createTaskResponseBody,
  errorBody,
  listTasksQuery,
  listTasksResponseBody,
  queryTaskResponseBody,
  requestIdResponseBody,
  uploadForm,
  uploadPolicyQuery,
  uploadPolicyResponseBody,
} from '../dashscope/schemas.ts';
import { exampleId, request_id } from './examples.ts';
import { jsonResponse, type Parameter, ref, type Schemas } from './operation.ts';
import { idempotencyKey, queryParameters } from './parameters.ts';
import { dashscopeOperations } from './problems.ts';

export const schemas: Schemas = {
  requests: { DashscopeTaskRequest: createTaskBody, DashscopeUploadForm: uploadForm },
  responses: {
    DashscopeCreatedTask: createTaskResponseBody,
    DashscopeTask: queryTaskResponseBody,
    DashscopeTaskList: listTasksResponseBody,
    DashscopeUploadPolicy: uploadPolicyResponseBody,
    DashscopeDone: requestIdResponseBody,
    DashscopeError: errorBody,
  },
};

/** Of a link that has expired. */
const exampleToken = 'XwxrnjpSjQ6cG35PKp1sOGl9WYAkR7vWq0Qb2xJtYc1mZ3sLhE8uNfPoKdTgVaBwXyCi9r';

const done = { done: { summary: 'Done', value: { request_id } } };

/** Links to the operations on a task. @param task_id where the response has its id */
const linksTo = (task_id: string) => ({
  queryTask: { operationId: 'dashscopeQueryTask', description: 'Query the task.', parameters: { task_id } },
  cancelTask: { operationId: 'dashscopeCancelTask', description: 'Cancel it while PENDING.', parameters: { task_id } },
});

const taskId: Parameter = {
  name: 'task_id',
  in: 'path',
  required: true,
  description: 'The id of the task, which is also the id of the video.',
  schema: { type: 'string' },
  example: exampleId,
};

export const operations = dashscopeOperations([
  {
    method: 'post',
    path: '/api/v1/services/aigc/video-generation/video-synthesis',
    id: 'dashscopeCreateTask',
    summary: 'Create a task',
    description:
      'As tolerant as Wan: unknown and empty fields are ignored with a warning, and an image or audio file may be bare base64. The names `wanx2.1-i2v-plus` and `wanx2.1-i2v-turbo` are known, and each model takes `img_url` and `media`. `Idempotency-Key` has the rules of `POST /videos`; a key that breaks them is a 400, and nothing is created.',
    parameters: [
      {
        name: 'X-DashScope-Async',
        in: 'header',
        required: true,
        description: 'Videos are created asynchronously only.',
        schema: { const: 'enable' },
      },
      idempotencyKey,
    ],
    body: {
      content: {
        schema: ref('DashscopeTaskRequest'),
        examples: {
          image: {
            summary: 'An image and a prompt',
            value: {
              model: 'wan2.2-i2v-flash',
              input: { prompt: 'A kitten runs through the grass', img_url: 'https://example.com/cat.png' },
              parameters: { resolution: '480P' },
            },
          },
        },
      },
    },
    responses: {
      200: jsonResponse(
        'The task.',
        ref('DashscopeCreatedTask'),
        {
          pending: {
            summary: 'Pending',
            value: { output: { task_status: 'PENDING', task_id: exampleId }, request_id },
          },
        },
        { links: linksTo('$response.body#/output/task_id') },
      ),
    },
    errors: [
      'AccessDenied',
      'ModelNotFound',
      'InvalidParameter',
      'InvalidParameter.DataInspection',
      'BadRequest.EmptyInput',
      'BadRequest.EmptyModel',
      'BadRequest.IllegalInput',
      'BadRequest.TooLarge',
      'InvalidURL',
      'Arrearage',
    ],
  },
  {
    method: 'get',
    path: '/api/v1/tasks/{task_id}',
    id: 'dashscopeQueryTask',
    summary: 'Query a task',
    description:
      "An unknown task, or another owner's, has the status UNKNOWN. Each query returns a new `video_url`, which is valid for 24 hours without a key and redirects to the archived file.",
    parameters: [taskId],
    responses: {
      200: jsonResponse('The task.', ref('DashscopeTask'), {
        succeeded: {
          summary: 'Succeeded',
          value: {
            output: {
              task_id: exampleId,
              task_status: 'SUCCEEDED',
              submit_time: '2026-01-31 20:00:00.000',
              scheduled_time: '2026-01-31 20:00:02.000',
              end_time: '2026-01-31 20:01:41.300',
              orig_prompt: 'A kitten runs through the grass',
              video_url: `https://api.example.com/v1/api/v1/files/${exampleToken}.mp4`,
            },
            usage: { duration: 5, video_count: 1, SR: 480 },
            request_id,
          },
        },
        unknown: {
          summary: 'There is no such task',
          value: { output: { task_id: exampleId, task_status: 'UNKNOWN' }, request_id },
        },
      }),
    },
  },
  {
    method: 'get',
    path: '/api/v1/files/{file}',
    id: 'dashscopeGetFile',
    summary: 'Fetch the video of a task',
    description:
      'The `video_url` of a task. It needs no key: its token is valid for 24 hours and for one video. S3 serves the file, ranges included.',
    access: 'public',
    parameters: [
      {
        name: 'file',
        in: 'path',
        required: true,
        description: 'The token and `.mp4`.',
        schema: { type: 'string' },
        example: `${exampleToken}.mp4`,
      },
    ],
    responses: { 302: { description: 'A link to the file, valid for 15 minutes.', headers: ['Location'] } },
    errors: ['AccessDenied', 'NotFound'],
  },
  {
    method: 'get',
    path: '/api/v1/tasks',
    id: 'dashscopeListTasks',
    summary: 'List tasks',
    description:
      'Tasks of at most 24 hours, newest first. A list covers the newest 2,000 (fewer if their prompts are very long); `total` counts those that match the filters. For more, use shorter time ranges.',
    parameters: queryParameters(listTasksQuery, {
      task_id: { description: 'Only this task, of any age.' },
      start_time: {
        description: 'YYYYMMDDhhmmss (UTC+8). Default: 24 hours before the end.',
        example: '20260131200000',
      },
      end_time: { description: 'YYYYMMDDhhmmss (UTC+8), at most 24 hours later. Default: now.' },
      model_name: { description: 'Only tasks of this model.' },
      status: { description: 'Only tasks of this status.', example: 'SUCCEEDED' },
      api_key_id: { description: 'Only tasks of this key.' },
      region: { description: 'Only tasks of this region.' },
      page_no: { description: 'From 1. Default: 1.', example: '1' },
      page_size: { description: '1 to 100. Default: 10.', example: '10' },
    }),
    responses: {
      200: jsonResponse(
        'A page.',
        ref('DashscopeTaskList'),
        {
          page: {
            summary: 'An empty list',
            value: { total: 0, data: [], total_page: 0, page_no: 1, page_size: 10, request_id },
          },
        },
        { links: linksTo('$response.body#/data/0/task_id') },
      ),
    },
    errors: ['InvalidParameter'],
  },
  {
    method: 'post',
    path: '/api/v1/tasks/{task_id}/cancel',
    id: 'dashscopeCancelTask',
    summary: 'Cancel a task that is PENDING',
    description: "Any other task, and another owner's, is refused.",
    parameters: [taskId],
    responses: { 200: jsonResponse('The task is canceled.', ref('DashscopeDone'), done) },
    errors: ['UnsupportedOperation', 'ModelUnavailable'],
  },
  {
    method: 'get',
    path: '/api/v1/uploads',
    id: 'dashscopeGetUploadPolicy',
    summary: 'Get an upload policy for local files',
    description:
      'For images, audio files and videos of at most 4 MiB; use `POST /uploads` for larger ones. A policy permits 10 files in its `upload_dir` within 15 minutes.',
    parameters: queryParameters(uploadPolicyQuery, {
      action: { description: '`getPolicy`.' },
      model: {
        description: 'The model that the file is for.',
        schema: { type: 'string', enum: [...modelNames, ...aliasNames] },
        example: 'wan2.2-i2v-flash',
      },
    }),
    responses: {
      200: jsonResponse('The policy.', ref('DashscopeUploadPolicy'), {
        policy: {
          summary: 'A policy',
          value: {
            data: {
              policy: 'eyJleHBpcmF0aW9uIjoiMjAyNi0wMS0zMVQxMjoxNTowMFoifQ==',
              signature: 'upload_token',
              upload_dir: 'firstframe/8f14e45f-ceea-467f-a0e6-5b1f0d2c7a11',
              upload_host: 'https://api.example.com/v1/api/v1/uploads?upload_token=ffu_4xQ9',
              expire_in_seconds: 900,
              max_file_size_mb: 4,
              capacity_limit_mb: 999_999_999,
              oss_access_key_id: 'firstframe',
              x_oss_object_acl: 'private',
              x_oss_forbid_overwrite: 'true',
            },
            request_id,
          },
        },
      }),
    },
    errors: ['InvalidParameter', 'ModelNotFound'],
  },
  {
    method: 'post',
    path: '/api/v1/uploads',
    id: 'dashscopeUpload',
    summary: 'Upload a local file',
    description: 'Sent to the `upload_host` of the policy. A task then refers to the file as `oss://<key>`.',
    access: 'upload token',
    body: {
      contentType: 'multipart/form-data',
      content: { schema: ref('DashscopeUploadForm') },
    },
    responses: { 200: jsonResponse('The file is stored.', ref('DashscopeDone'), done) },
    errors: ['AccessDenied', 'InvalidParameter', 'BadRequest.TooLarge'],
  },
]);
