import { parseAmzDate, parseCredential, uriEncode, uriEncodePath } from '../../signature/canonical.ts';
import { checkSignature, type SignatureServices, signingKeyOf } from '../../signature/verify.ts';
import { maxBodySize, receiveBytes, tooLarge } from '../body/receive.ts';
import { notImplemented, S3Error } from '../errors.ts';
import { checkKey, encodeHeaderText, type Headers, type ReceivedRequest, type S3Response } from '../http/messages.ts';
import { writeXml } from '../http/xml.ts';
import { attributeHeaders, contentHeaders, readAttributes, storedHeaders } from '../operations/attributes.ts';
import type { HandlerServices } from '../operations/call.ts';
import { storeObject } from '../operations/put-object.ts';
import type { StoredObject } from '../store/records.ts';
import { type Form, readForm } from './form-data.ts';
import { checkPolicy, parsePolicy, type SizeLimits } from './policy.ts';

/** Whether a request is a browser form, which is signed by its policy instead of a header. */
export function isPostObject({ method, target, headers }: ReceivedRequest): boolean {
  const isForm = headers.get('content-type')?.startsWith('multipart/form-data') ?? false;
  return method === 'POST' && target.bucket !== '' && target.key === '' && isForm && !headers.has('authorization');
}

/** POST Object: an upload by an HTML form with a signed policy. */
export async function postObject(request: ReceivedRequest, services: HandlerServices): Promise<S3Response> {
  const form = await readForm(request.body, request.headers.get('content-type') ?? '');
  const { access_key_id: accessKeyId, policy } = authenticateForm(form.fields, services);
  const { key, file } = readKeyAndFile(form);
  const bucket = services.buckets.get(request.target.bucket);
  const fields = new Map([...form.fields, ['bucket', bucket.name], ['key', key]]);
  const limits = checkPolicy(parsePolicy(policy), fields, services.now());
  // Recorded only after the policy has allowed the form, since a rejected form needs no permission.
  services.recordCall({ access_key_id: accessKeyId, action: 's3:PutObject', bucket: bucket.name, key });
  const headers = toHeaders(form.fields);
  const attributes = readAttributes(headers);
  const { blob, result } = await bucket.blobs.write((write) =>
    receiveBytes(limitSize(file.bytes, limits), write, { headers }),
  );
  const object = await storeObject(
    services,
    bucket,
    { ...attributes, key, blob, ...result },
    { reason: 'POST Object', requester: accessKeyId, check: () => {} },
  );
  const location = `http://${request.headers.get('host')}/${bucket.name}/${uriEncodePath(key)}`;
  const response = successResponse(form.fields, bucket.name, object, location);
  return {
    ...response,
    headers: { location, ...storedHeaders(bucket, object), ...response.headers },
  };
}

/** Verifies the signature of a form's policy, which is in base64. */
function authenticateForm(
  fields: Form['fields'],
  services: Pick<SignatureServices, 'secretOf'>,
): { access_key_id: string; policy: string } {
  const policy = fields.get('policy');
  const signature = fields.get('x-amz-signature');
  if (policy === undefined && signature === undefined) {
    throw new S3Error('AccessDenied', 'Access Denied: the form has no policy, and anonymous access is not supported.');
  }
  const credential = parseCredential(fields.get('x-amz-credential') ?? '');
  const isDated = parseAmzDate(fields.get('x-amz-date') ?? '') !== undefined;
  const isSigned = fields.get('x-amz-algorithm') === 'AWS4-HMAC-SHA256' && credential?.service === 's3' && isDated;
  if (policy === undefined || signature === undefined || !isSigned) {
    throw new S3Error(
      'InvalidArgument',
      'The form needs the fields policy, x-amz-algorithm (AWS4-HMAC-SHA256), x-amz-credential, x-amz-date and x-amz-signature.',
    );
  }
  checkSignature(signingKeyOf(credential, services), [policy], signature);
  return { access_key_id: credential.access_key_id, policy };
}

function readKeyAndFile({ fields, file }: Form): { key: string; file: NonNullable<Form['file']> } {
  const key = fields.get('key');
  if (!key) {
    throw new S3Error(
      'InvalidArgument',
      "Bucket POST must contain a field named 'key'. If it is specified, please check the order of the fields.",
    );
  }
  if (!file) {
    throw new S3Error('InvalidArgument', 'POST requires exactly one file upload per request.');
  }
  // Some browsers send a path. S3 uses its last part.
  const fileName = file.name.split(/[\\/]/).at(-1) ?? '';
  return { key: checkKey(key.replace(/\$\{filename\}/g, () => fileName)), file };
}

async function* limitSize(bytes: AsyncIterable<Buffer>, limits: SizeLimits): AsyncGenerator<Buffer> {
  const maximum = Math.min(limits.maximum, maxBodySize);
  let size = 0;
  for await (const piece of bytes) {
    size += piece.length;
    if (size > maximum) throw tooLarge(size, maximum);
    yield piece;
  }
  if (size < limits.minimum)
    throw new S3Error(
      'EntityTooSmall',
      `Your proposed upload is smaller than the minimum allowed size: ${size} of ${limits.minimum} bytes.`,
    );
}

function successResponse(
  fields: ReadonlyMap<string, string>,
  bucket: string,
  { key, etag }: StoredObject,
  location: string,
): S3Response {
  const redirect = redirectTarget(fields.get('success_action_redirect') ?? fields.get('redirect'));
  if (redirect) {
    const query = `bucket=${uriEncode(bucket)}&key=${uriEncode(key)}&etag=${uriEncode(`"${etag}"`)}`;
    redirect.search += `${redirect.search === '' ? '?' : '&'}${query}`;
    return { status: 303, headers: { location: redirect.href } };
  }
  switch (fields.get('success_action_status')) {
    case '200':
      return { status: 200 };
    case '201': {
      const document = writeXml('PostResponse', { Location: location, Bucket: bucket, Key: key, ETag: `"${etag}"` });
      return { status: 201, headers: { 'content-type': 'application/xml' }, body: document };
    }
    default:
      return { status: 204 };
  }
}

/** An invalid URL is ignored. */
function redirectTarget(text: string | undefined): URL | undefined {
  return text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
}

/** Form fields that are not attributes of the object. */
const nonObjectFields = new Set([
  'bucket',
  'key',
  'policy',
  'success_action_redirect',
  'redirect',
  'success_action_status',
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-signature',
]);

/** Turns a form's fields into the headers of an equivalent PUT. */
function toHeaders(fields: ReadonlyMap<string, string>): Headers {
  const headers = new Map<string, string>();
  for (const [name, value] of fields) {
    if (nonObjectFields.has(name) || name.startsWith('x-ignore-')) continue;
    if (name === 'acl') headers.set('x-amz-acl', value);
    else if (name.startsWith('x-amz-meta-')) headers.set(checkHeaderName(name), value);
    else if (contentHeaders.includes(name) || name === 'content-md5') headers.set(name, encodeHeaderText(value));
    else if (attributeHeaders.includes(name) || name.startsWith('x-amz-checksum-')) headers.set(name, value);
    else if (name.startsWith('x-amz-') || name === 'tagging')
      throw notImplemented(`POST Object with the field ${name}`);
  }
  return headers;
}

/** A metadata name is returned as a header, so it must be a valid header name. */
function checkHeaderName(name: string): string {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return name;
  throw new S3Error('InvalidArgument', `A metadata field has an invalid header name: ${name}`);
}
