import { parseUrl } from '../validation/public-url.ts';
import type { ClientOptions, Connection } from './connection.ts';
import { connectionHeaders, defaultTimeouts, type NoResponse, query } from './connection.ts';
import { sendRequest } from './http.ts';
import { unavailable } from './rejections.ts';
import { policyResponse } from './response-schemas.ts';

export type Upload = {
  /** The model that will read the file; the upload is valid for it only. */
  readonly model: string;
  /** The file's name; characters other than letters, digits, dots, hyphens and underscores become underscores. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly content_type: string;
};

export type UploadOutcome =
  /** An `oss://` URL for `img_url`, valid for 48 hours, this account and this model. */
  { outcome: 'uploaded'; url: string } | NoResponse;

/**
 * Uploads a file to Wan's temporary storage: gets a policy, then posts the file as a form, without the key, and only to Alibaba's storage,
 * the base URL's origin or a trusted one. Can be repeated: a failed upload costs nothing.
 */
export async function uploadFile(
  connection: Connection,
  options: ClientOptions,
  { model, name, bytes, content_type }: Upload,
  signal?: AbortSignal,
): Promise<UploadOutcome> {
  const parameters = new URLSearchParams({ action: 'getPolicy', model });
  const response = await query(connection, { method: 'GET', path: `/uploads?${parameters}`, kind: 'query', signal });
  if (response.outcome !== 'responded') return response;
  const parsed = policyResponse.safeParse(response.body);
  if (!parsed.success) return unavailable('response_malformed');
  const policy = parsed.data.data;
  if (!isUploadHost(policy.upload_host, [new URL(options.baseUrl).origin, ...(options.trustedOrigins ?? [])])) {
    return unavailable('upload_host_untrusted');
  }
  if (policy.max_file_size_mb && bytes.byteLength > policy.max_file_size_mb * 1024 * 1024)
    return unavailable('file_too_large');
  const key = `${policy.upload_dir.replace(/\/+$/, '')}/${name.replace(/[^\w.-]/g, '_').slice(-100)}`;
  const form = new FormData();
  form.set('OSSAccessKeyId', policy.oss_access_key_id);
  form.set('Signature', policy.signature);
  form.set('policy', policy.policy);
  form.set('key', key);
  if (policy.x_oss_object_acl) form.set('x-oss-object-acl', policy.x_oss_object_acl);
  if (policy.x_oss_forbid_overwrite) form.set('x-oss-forbid-overwrite', policy.x_oss_forbid_overwrite);
  form.set('success_action_status', '200');
  form.set('x-oss-content-type', content_type);
  // OSS ignores fields after the file, so it must be the last.
  form.set('file', new Blob([new Uint8Array(bytes)], { type: content_type }), name);
  const sent = await sendRequest({
    fetch: options.fetch,
    url: policy.upload_host,
    method: 'POST',
    headers: connectionHeaders(options),
    body: form,
    timeout: options.timeouts?.upload ?? defaultTimeouts.upload,
    signal,
  });
  if (sent.kind !== 'response') return unavailable(sent.cause);
  if (sent.status < 200 || sent.status >= 300) return unavailable(`upload_http_${sent.status}`);
  return { outcome: 'uploaded', url: `oss://${key}` };
}

/** The host comes from a response, so it must be checked. Redirects are not followed either. */
function isUploadHost(text: string, trustedOrigins: readonly string[]): boolean {
  const url = parseUrl(text);
  if (!url || url.username || url.password) return false;
  if (trustedOrigins.includes(url.origin)) return true;
  return url.protocol === 'https:' && url.port === '' && url.hostname.endsWith('.aliyuncs.com');
}
