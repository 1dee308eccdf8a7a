import { randomUUID } from 'node:crypto';
import { apiError } from './errors.ts';
import { errorResponse, json, storageError, type WanRequest, type WanResponse } from './http.ts';
import { type Limits, policiesPerSecond } from './limits.ts';
import { accessKeyId, signature } from './links.ts';
import { findModel } from './models.ts';
import { second } from './time.ts';
import type { UploadOwner, Uploads } from './uploads.ts';

/** Path of the form upload. */
export const uploadPath = '/dashscope-upload';

const policySeconds = 300;
const maximumMegabytes = 100;

interface Policy extends UploadOwner {
  readonly expiration: string;
  readonly folder: string;
}

interface UploadServices {
  readonly uploads: Uploads;
  readonly limits: Limits;
  readonly now: () => number;
  readonly origin: string;
}

/** `GET /uploads?action=getPolicy&model=M`: returns the form fields for one file in the temporary storage. */
export function getUploadPolicy(services: UploadServices, account: string, query: URLSearchParams): WanResponse {
  const model = query.get('model');
  if (query.get('action') !== 'getPolicy')
    return errorResponse(apiError('InvalidParameter', 'action must be getPolicy'));
  if (!model) return errorResponse(apiError('InvalidParameter', 'Field required: model'));
  if (!findModel(model)) return errorResponse(apiError('ModelNotFound'));
  if (!services.limits.tryAcquire(`policy ${account} ${model}`, policiesPerSecond)) {
    return errorResponse(apiError('Throttling.RateQuota'));
  }
  const folder = services.uploads.newFolder(account);
  const expiration = new Date(services.now() + policySeconds * second).toISOString();
  const content: Policy = { expiration, folder, account, model };
  const policy = Buffer.from(JSON.stringify(content)).toString('base64');
  return json(200, {
    data: {
      policy,
      signature: signature(policy),
      upload_dir: folder,
      upload_host: `${services.origin}${uploadPath}`,
      expire_in_seconds: policySeconds,
      max_file_size_mb: maximumMegabytes,
      capacity_limit_mb: 999999999,
      oss_access_key_id: accessKeyId,
      x_oss_object_acl: 'private',
      x_oss_forbid_overwrite: 'true',
    },
  });
}

/** The form post to `upload_host`: responds 200 or 204 according to `success_action_status`, and with the errors of OSS. */
export async function receiveUpload(services: UploadServices, request: WanRequest): Promise<WanResponse> {
  const form = await readForm(request);
  const file = form?.get('file');
  const field = (name: string) => String(form?.get(name) ?? '');
  if (!form || !file || typeof file === 'string') {
    return storageError(400, 'MalformedPOSTRequest', 'The body must be a multipart form whose last field is the file.');
  }
  if (field('Signature') !== signature(field('policy')) || field('OSSAccessKeyId') !== accessKeyId) {
    return storageError(403, 'SignatureDoesNotMatch', 'The signature of the form does not fit its policy.');
  }
  const policy = JSON.parse(Buffer.from(field('policy'), 'base64').toString('utf8')) as Policy;
  if (services.now() >= Date.parse(policy.expiration)) {
    return storageError(403, 'AccessDenied', 'Invalid according to Policy: Policy expired.');
  }
  if (!field('key').startsWith(`${policy.folder}/`)) {
    return storageError(403, 'AccessDenied', 'Invalid according to Policy: the key is not in upload_dir.');
  }
  if (file.size > maximumMegabytes * 1024 * 1024) {
    return storageError(400, 'EntityTooLarge', `The file is larger than ${maximumMegabytes} MB.`);
  }
  const isStored = await services.uploads.store(field('key'), Buffer.from(await file.arrayBuffer()), policy);
  if (!isStored) return storageError(409, 'FileAlreadyExists', 'The object exists, and overwriting is forbidden.');
  return {
    kind: 'whole',
    status: field('success_action_status') === '200' ? 200 : 204,
    headers: { 'x-oss-request-id': randomUUID() },
    body: '',
  };
}

async function readForm({ headers, body }: WanRequest): Promise<FormData | undefined> {
  const headersOfForm = { 'content-type': headers['content-type'] ?? '' };
  return new Response(new Uint8Array(body), { headers: headersOfForm }).formData().catch(() => undefined);
}
