import { dashscopeHandler } from '../../../../functions/api/dashscope/handler.ts';
import type { DashscopeRequest, DashscopeServices } from '../../../../functions/api/dashscope/services.ts';
import { type AcceptServices, acceptRequest } from '../../../../functions/submissions/accept-request.ts';
import type { Status, VideoRecord } from '../../../../functions/video/record.ts';
import { type Change, changeStatus, readVideo } from '../../../../functions/video/store.ts';
import type { Table } from '../../../../functions/video/table.ts';
import apiRequest from '../../../fixtures/events/api-request.json' with { type: 'json' };
import { type Answer, anArchivedVideo, anS3, answerOf, type StoredObjects } from '../support.ts';

/** Where clients find the routes: an API with a stage, whose address is not `/api/v1` alone. */
export const stage = '/v1';

interface Given {
  method?: string;
  /** Below `/api/v1/`, with its query. */
  path: string;
  headers?: Record<string, string>;
  /** JSON unless it is bytes or a text. */
  body?: unknown;
  owner?: string;
  /** Of an upload token, which the form's authorizer found out. */
  upload_id?: string;
}

/** What the stage hands to the Lambda. */
export function aDashscopeRequest({ method = 'GET', path, owner = 'alice', ...given }: Given): DashscopeRequest {
  const { 'Content-Type': _json, ...usual } = apiRequest.headers;
  const headers = { ...usual, ...given.headers };
  const [route = '', query] = path.split('?');
  const isUpload = /^uploads\/?$/.test(route);
  const { body } = given;
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
      authorizer: { owner, key_id: `key of ${owner}`, ...(given.upload_id ? { upload_id: given.upload_id } : {}) },
    },
  };
}

/** The routes over a table, with an S3 that is a map and a dispatch that only counts. */
export function aDashscope(table: Table, given: Partial<DashscopeServices & AcceptServices> = {}) {
  const files: StoredObjects = new Map();
  const s3 = anS3(files);
  const dispatched: string[] = [];
  const surprises: unknown[] = [];
  const intake: AcceptServices = {
    table,
    trustedOrigins: [],
    uploadsBucket: 'uploads',
    wanRegion: 'singapore',
    monthlySpendingLimit: undefined,
    s3,
    dispatch: async ({ id }) => void dispatched.push(id),
    recordMetric: () => undefined,
    onDispatchError: (_video, error) => void surprises.push(error),
    ...given,
  };
  const services: DashscopeServices = {
    table,
    s3,
    region: 'singapore',
    uploads_bucket: 'uploads',
    acceptRequest: (request) => acceptRequest(intake, { ...request, mode: 'tolerant' }),
    cancelVideo: (video) => moveTo(table, video.id, 'canceled'),
    linkTo: async ({ bucket, key }, { file_name }) => `https://${bucket}.s3.example/${key}?file=${file_name}`,
    sleep: () => Promise.resolve(),
    ...given,
  };
  const handle = dashscopeHandler(services, (error) => surprises.push(error));
  return {
    files,
    dispatched,
    surprises,
    handle,
    call: async (request: Given): Promise<Answer> => answerOf(await handle(aDashscopeRequest(request))),
  };
}

/** The video on its way to a status, by all that lie between. */
export async function moveTo(table: Table, id: string, to: Status, change: Change = {}): Promise<VideoRecord> {
  const way: readonly Status[] = ['queued', 'submitting', 'running', 'archiving', 'succeeded'];
  let video = (await readVideo(table, id))!;
  const isEnding = to === 'failed' || to === 'canceled';
  const steps = isEnding ? [to] : way.slice(way.indexOf(video.status) + 1, way.indexOf(to) + 1);
  for (const step of steps) video = (await changeStatus(table, video, step, step === to ? change : {}))!;
  return video;
}

/** What Wan said of a task, when it ran. */
export const aTask = (given: Partial<VideoRecord['task'] & object> = {}): NonNullable<VideoRecord['task']> => ({
  id: "Wan's own id of the task",
  status: 'RUNNING',
  region: 'singapore',
  request_id: "Wan's own id of the request",
  submit_time: '2025-09-25T03:07:29.000Z',
  scheduled_time: '2025-09-25T03:07:35.349Z',
  expires_at: '2025-09-26T03:07:29.000Z',
  expected_seconds: 100,
  attempts: 1,
  ...given,
});

/** The video with its file in our archive. */
export const succeed = (table: Table, id: string, change: Change['set'] = {}): Promise<VideoRecord> =>
  moveTo(table, id, 'succeeded', {
    set: { video: { ...anArchivedVideo, key: `${id}/1-1.mp4` }, task: aTask({ status: 'SUCCEEDED' }), ...change },
  });
