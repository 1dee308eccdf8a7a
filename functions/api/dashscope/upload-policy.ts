import { randomUUID } from 'node:crypto';
import type { Caller } from '../../shared/caller.ts';
import { MAX_INLINE_BYTES } from '../../submissions/check-body.ts';
import { uploadFolder } from '../../submissions/uploads.ts';
import { resolveAlias } from '../../wan/catalogue.ts';
import { offeredModels } from '../../wan/prices.ts';
import { createUploadToken } from '../auth/upload-token.ts';
import { headerValues } from '../http/request.ts';
import { DashscopeError } from './errors.ts';
import type { UploadPolicyResponse } from './schemas.ts';
import type { DashscopeRequest, DashscopeServices } from './services.ts';

/** The largest file that fits through API Gateway and a Lambda event; larger ones use `POST /uploads`. */
export const MAX_UPLOAD_BYTES = MAX_INLINE_BYTES;

/**
 * `GET uploads?action=getPolicy&model=M`: returns the address and form fields for an upload. Wan's clients send it to object storage; here they
 * send it to these routes, authorized by the token in the URL, because the form carries no key. Policy, signature and access key exist for
 * clients that require them and are not checked.
 */
export async function getUploadPolicy(
  services: DashscopeServices,
  request: DashscopeRequest,
  caller: Caller,
): Promise<UploadPolicyResponse> {
  const { action, model } = request.queryStringParameters ?? {};
  if (action !== 'getPolicy')
    throw new DashscopeError('InvalidParameter', 'action is missing or unknown. Use action=getPolicy.');
  if (!model)
    throw new DashscopeError('InvalidParameter', 'Field required: model. Give the model that the file is for.');
  if (!offeredModels(services.deployment).some(({ name }) => name === resolveAlias(model)))
    throw new DashscopeError('ModelNotFound');
  const upload_id = randomUUID();
  const { token, expires_at } = await createUploadToken(services.table, caller, { upload_id });
  const upload_dir = uploadDirectory(upload_id);
  const conditions = [
    ['starts-with', '$key', `${upload_dir}/`],
    ['content-length-range', 1, MAX_UPLOAD_BYTES],
  ];
  return {
    data: {
      policy: Buffer.from(JSON.stringify({ expiration: expires_at, conditions })).toString('base64'),
      signature: 'upload_token',
      upload_dir,
      upload_host: `${urlOf(request)}?${new URLSearchParams({ upload_token: token })}`,
      expire_in_seconds: Math.max(0, Math.floor((Date.parse(expires_at) - services.table.now()) / 1000)),
      max_file_size_mb: MAX_UPLOAD_BYTES / 1024 / 1024,
      capacity_limit_mb: 999_999_999,
      oss_access_key_id: 'firstframe',
      x_oss_object_acl: 'private',
      x_oss_forbid_overwrite: 'true',
    },
  };
}

/** The URL of the request without its query. Only the request itself knows the stage or base path before the route. */
export function urlOf(request: DashscopeRequest): string {
  const { domainName, path } = request.requestContext;
  if (!domainName || !path) throw new Error('The request does not contain its domain name and path.');
  const isPlain = headerValues(request, 'x-forwarded-proto').at(-1) === 'http';
  return `${isPlain ? 'http' : 'https'}://${domainName}${path.replace(/\/+$/, '')}`;
}

/*
 * A client names a file uploaded by this protocol `oss://firstframe/<upload id>/<name>`, as it names Wan's uploads `oss://<key>`. The file
 * is stored among its owner's uploads.
 */
const folder = 'firstframe';

/** The `upload_dir` of an upload: clients must put its files there. */
export const uploadDirectory = (uploadId: string): string => `${folder}/${uploadId}`;

/**
 * The file name in a form's `key`: directly in the directory of its upload, at most 255 bytes, without slashes, control characters and
 * overrides of the text direction. Emoji, Persian and Indic names contain joiners and direction marks, so other invisible characters stay.
 * @returns undefined for any other key
 */
export function fileNameOf(key: string, uploadId: string): string | undefined {
  const start = `${uploadDirectory(uploadId)}/`;
  const name = key.startsWith(start) ? key.slice(start.length) : '';
  return isFileName(name) ? name : undefined;
}

const isFileName = (name: string): boolean =>
  name !== '' &&
  name !== '.' &&
  name !== '..' &&
  Buffer.byteLength(name) <= 255 &&
  !/[/\\\p{Cc}\p{Surrogate}\u202d\u202e]/u.test(name);

/** The key of an uploaded file. */
export const uploadKey = (owner: string, uploadId: string, name: string): string =>
  `${uploadFolder(owner)}${uploadId}/${name}`;

/**
 * The `s3://` URL of an `oss://` URL for this owner; another owner's upload does not exist there.
 * @returns undefined for an `oss://` URL that is not one of our uploads
 */
export function ossUrlToS3(url: string, { bucket, owner }: { bucket: string; owner: string }): string | undefined {
  const [, uploadId, name] =
    /^oss:\/\/firstframe\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/([^/]+)$/.exec(url) ?? [];
  return uploadId && name && isFileName(name) ? `s3://${bucket}/${uploadKey(owner, uploadId, name)}` : undefined;
}
