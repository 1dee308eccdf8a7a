import type { Caller } from '../../shared/caller.ts';
import type { Issue } from '../../shared/issues.ts';
import { isJsonObject, readJson } from '../../shared/json-body.ts';
import { identityOf } from '../../submissions/identity.ts';
import { shorthandNames } from '../../wan/media.ts';
import { headerValues } from '../http/request.ts';
import { DashscopeError, dashscopeErrorOfIssues } from './errors.ts';
import type { CreateTaskResponse } from './schemas.ts';
import type { DashscopeRequest, DashscopeServices } from './services.ts';
import { ossUrlToS3 } from './upload-policy.ts';

/** `POST …/video-synthesis` (reference, "Step 1"). @throws ProblemError, DashscopeError */
export async function createTask(
  services: DashscopeServices,
  request: DashscopeRequest,
  caller: Caller,
): Promise<CreateTaskResponse> {
  if (!headerValues(request, 'x-dashscope-async').includes('enable')) throw new DashscopeError('AccessDenied');
  const body = withOwnUploads(readJson(request), services, caller);
  const identity = identityOf(caller.owner, headerValues(request, 'idempotency-key'));
  const { requestId: request_id } = request.requestContext;
  const { video } = await services.acceptRequest({ body, identity, caller, request_id });
  return { output: { task_status: 'PENDING', task_id: video.id } };
}

/** Replaces each `oss://` URL by the `s3://` URL of the caller's upload. @throws DashscopeError for any other `oss://` URL */
function withOwnUploads(body: unknown, { uploads_bucket: bucket }: DashscopeServices, { owner }: Caller): unknown {
  if (!isJsonObject(body) || !isJsonObject(body.input)) return body;
  const ownUrl = (url: unknown, pointer: string): unknown => {
    if (typeof url !== 'string' || !url.startsWith('oss://')) return url;
    const own = ossUrlToS3(url, { bucket, owner });
    if (own === undefined) throw dashscopeErrorOfIssues([foreignUpload(pointer)]);
    return own;
  };
  const input = { ...body.input };
  for (const name of shorthandNames) {
    if (Object.hasOwn(input, name)) input[name] = ownUrl(input[name], `/input/${name}`);
  }
  if (Array.isArray(input.media)) {
    input.media = input.media.map((item: unknown, index) =>
      isJsonObject(item) ? { ...item, url: ownUrl(item.url, `/input/media/${index}/url`) } : item,
    );
  }
  return { ...body, input };
}

const foreignUpload = (pointer: string): Issue => ({
  pointer,
  code: 'invalid_url',
  message: 'An oss:// URL must come from an upload to this service. Upload the file here, or give its http(s) URL.',
});
