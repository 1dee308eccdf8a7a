import { dashscopeHandler } from '../../../../functions/api/dashscope/handler.ts';
import type { DashscopeRequest, DashscopeServices } from '../../../../functions/api/dashscope/services.ts';
import { type AcceptServices, acceptRequest } from '../../../../functions/submissions/accept-request.ts';
import type { Status, VideoRecord } from '../../../../functions/video/record.ts';
import { type Change, changeStatus, readVideo } from '../../../../functions/video/store.ts';
import type { Table } from '../../../../functions/video/table.ts';
import apiRequest from '../../../fixtures/events/api-request.json' with { type: 'json' };
import { aDeployment } from '../../../support/videos.ts';
import { type ApiResponse, anArchivedVideo, anS3, responseOf, type StoredObjects } from '../support.ts';

/** The stage, so that the path of the routes is longer than `/api/v1`. */
export const stage = '/v1';

interface RequestOptions {
  method?: string;
  /** Below `/api/v1/`, with its query. */
  path: string;
  headers?: Record<string, string>;
  /** Bytes and strings are sent unchanged, other values as JSON. */
  body?: unknown;
  owner?: string;
  /** From the upload token, as the authorizer returns it. */
  upload_id?: string;
}

/** The event of API Gateway. */
export function aDashscopeRequest({
  method = 'GET',
  path,
  owner = 'alice',
  ...options
}: RequestOptions): DashscopeRequest {
  const { 'Content-Type': _json, ...defaults } = apiRequest.headers;
  const headers = { ...defaults, ...options.headers };
  const [route = '', query] = path.split('?');
  const isUpload = /^uploads\/?$/.test(route);
  const { body } = options;
  const isBytes = body instanceof Uint8Array;
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return {
    ...apiRequest,
    httpMethod: method,
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    resource: isUpload ? '/api/v1/uploads' : '/api/v1/{proxy+}',
    path: `/api/v1/${route}`,
    pathParameters: isUpload ? null : { proxy: route },
    queryStringParameters: query === undefined ? null : Object.fromEntries(new URLSearchParams(query)),
    multiValueQueryStringParameters: null,
    body: isBytes ? Buffer.from(body).toString('base64') : (text ?? null),
    isBase64Encoded: isBytes,
    requestContext: {
      ...apiRequest.requestContext,
      path: `${stage}/api/v1/${route}`,
      authorizer: {
        owner,
        key_id: `key of ${owner}`,
        ...(options.upload_id ? { upload_id: options.upload_id } : {}),
      },
    },
  };
}

/** The routes over a table, with the S3 stub and a dispatch that only records ids. */
export function aDashscope(table: Table, overrides: Partial<DashscopeServices & AcceptServices> = {}) {
  const files: StoredObjects = new Map();
  const s3 = anS3(files);
  const dispatched: string[] = [];
  const unexpectedErrors: unknown[] = [];
  const acceptServices: AcceptServices = {
    table,
    trustedOrigins: [],
    uploadsBucket: 'uploads',
    deployment: aDeployment(),
    monthlySpendingLimit: undefined,
    s3,
    dispatch: async ({ id }) => void dispatched.push(id),
    recordMetric: () => undefined,
    onDispatchError: (_video, error) => void unexpectedErrors.push(error),
    ...overrides,
  };
  const services: DashscopeServices = {
    table,
    s3,
    deployment: aDeployment(),
    uploads_bucket: 'uploads',
    acceptRequest: (request) => acceptRequest(acceptServices, { ...request, mode: 'tolerant' }),
    cancelVideo: (video) => moveTo(table, video.id, 'canceled'),
    linkTo: async ({ bucket, key }, { file_name }, method = 'GET') =>
      `https://${bucket}.s3.example/${key}?file=${file_name}&for=${method}`,
    fileKey: async () => 'the key of links',
    sleep: () => Promise.resolve(),
    admitRequest: async () => undefined,
    longPolls: { per_owner: 10, total: 50 },
    ...overrides,
  };
  const handle = dashscopeHandler(services, (error) => unexpectedErrors.push(error));
  return {
    files,
    dispatched,
    unexpectedErrors,
    handle,
    call: async (request: RequestOptions): Promise<ApiResponse> => responseOf(await handle(aDashscopeRequest(request))),
  };
}

/** Moves a video to a status through all statuses in between. */
export async function moveTo(table: Table, id: string, to: Status, change: Change = {}): Promise<VideoRecord> {
  const order: readonly Status[] = ['queued', 'submitting', 'running', 'archiving', 'succeeded'];
  let video = (await readVideo(table, id))!;
  const isEnding = to === 'failed' || to === 'canceled';
  const steps = isEnding ? [to] : order.slice(order.indexOf(video.status) + 1, order.indexOf(to) + 1);
  for (const step of steps) video = (await changeStatus(table, video, step, step === to ? change : {}))!;
  return video;
}

/** A running task. */
export const aTask = (overrides: Partial<VideoRecord['task'] & object> = {}): NonNullable<VideoRecord['task']> => ({
  id: "Wan's own id of the task",
  status: 'RUNNING',
  region: 'singapore',
  request_id: "Wan's own id of the request",
  submit_time: '2025-09-25T03:07:29.000Z',
  scheduled_time: '2025-09-25T03:07:35.349Z',
  expires_at: '2025-09-26T03:07:29.000Z',
  expected_seconds: 100,
  attempts: 1,
  ...overrides,
});

/** Moves a video to `succeeded` with an archived file. */
export const succeed = (table: Table, id: string, change: Change['set'] = {}): Promise<VideoRecord> =>
  moveTo(table, id, 'succeeded', {
    set: { video: { ...anArchivedVideo, key: `${id}/1-1.mp4` }, task: aTask({ status: 'SUCCEEDED' }), ...change },
  });
