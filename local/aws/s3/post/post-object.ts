import { parseAmzDate, parseCredential, uriEncode, uriEncodePath } from '../../signature/canonical.ts';
import { checkSignature, type SignatureServices, signingKeyOf } from '../../signature/verify.ts';
import { largestBody, receiveBytes, tooLarge } from '../body/receive.ts';
import { notImplemented, S3Error } from '../errors.ts';
import { type Answer, checkKey, type Headers, headerText, type ReceivedRequest } from '../http/messages.ts';
import { writeXml } from '../http/xml.ts';
import { attributeHeaders, contentHeaders, readAttributes, storedHeaders } from '../operations/attributes.ts';
import type { HandlerServices } from '../operations/call.ts';
import { storeObject } from '../operations/put-object.ts';
import type { StoredObject } from '../store/records.ts';
import { type Form, readForm } from './form-data.ts';
import { checkPolicy, parsePolicy, type SizeLimits } from './policy.ts';

/** Whether a request is a browser's form: it is signed by its policy and not by a header. */
export function isPostObject({ method, target, headers }: ReceivedRequest): boolean {
  const isForm = headers.get('content-type')?.startsWith('multipart/form-data') ?? false;
  return method === 'POST' && target.bucket !== '' && target.key === '' && isForm && !headers.has('authorization');
}

/** POST Object: an upload by HTML form under a signed policy. */
export async function postObject(request: ReceivedRequest, services: HandlerServices): Promise<Answer> {
  const form = await readForm(request.body, request.headers.get('content-type') ?? '');
  const { access_key_id: accessKeyId, policy } = authenticateForm(form.fields, services);
  const { key, file } = addressOf(form);
  const bucket = services.buckets.get(request.target.bucket);
  const fields = new Map([...form.fields, ['bucket', bucket.name], ['key', key]]);
  const limits = checkPolicy(parsePolicy(policy), fields, services.now());
  // A form that its own policy does not allow is refused whatever the role may do.
  services.recordCall({ access_key_id: accessKeyId, action: 's3:PutObject', bucket: bucket.name, key });
  const headers = formHeaders(form.fields);
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
  const answer = successAnswer(form.fields, bucket.name, object, location);
  return {
    ...answer,
    headers: { location, ...storedHeaders(bucket, object), ...answer.headers },
  };
}

/** Checks the signature a form carries over its policy, which is still in base64. */
function authenticateForm(
  fields: Form['fields'],
  services: Pick<SignatureServices, 'secretOf'>,
): { access_key_id: string; policy: string } {
  const policy = fields.get('policy');
  const signature = fields.get('x-amz-signature');
  if (policy === undefined && signature === undefined) {
    throw new S3Error('AccessDenied', 'Access Denied: the form carries no policy, and nothing here is public.');
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

function addressOf({ fields, file }: Form): { key: string; file: NonNullable<Form['file']> } {
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
  // Some browsers send a path; S3 keeps its last part.
  const fileName = file.name.split(/[\\/]/).at(-1) ?? '';
  return { key: checkKey(key.replace(/\$\{filename\}/g, () => fileName)), file };
}

async function* limitSize(bytes: AsyncIterable<Buffer>, limits: SizeLimits): AsyncGenerator<Buffer> {
  const most = Math.min(limits.most, largestBody);
  let size = 0;
  for await (const piece of bytes) {
    size += piece.length;
    if (size > most) throw tooLarge(size, most);
    yield piece;
  }
  if (size < limits.least)
    throw new S3Error(
      'EntityTooSmall',
      `Your proposed upload is smaller than the minimum allowed size: ${size} of ${limits.least} bytes.`,
    );
}

function successAnswer(
  fields: ReadonlyMap<string, string>,
  bucket: string,
  { key, etag }: StoredObject,
  location: string,
): Answer {
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

/** An address that can't be read counts as none. */
function redirectTarget(text: string | undefined): URL | undefined {
  return text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
}

/** Fields that speak to the form's receiver and not of the object. */
const formFields = new Set([
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

/** Reads a form's fields as the headers that a PUT of the same object would carry. */
function formHeaders(fields: ReadonlyMap<string, string>): Headers {
  const headers = new Map<string, string>();
  for (const [name, value] of fields) {
    if (formFields.has(name) || name.startsWith('x-ignore-')) continue;
    if (name === 'acl') headers.set('x-amz-acl', value);
    else if (name.startsWith('x-amz-meta-')) headers.set(checkName(name), value);
    else if (contentHeaders.includes(name) || name === 'content-md5') headers.set(name, headerText(value));
    else if (attributeHeaders.includes(name) || name.startsWith('x-amz-checksum-')) headers.set(name, value);
    else if (name.startsWith('x-amz-') || name === 'tagging')
      throw notImplemented(`POST Object with the field ${name}`);
  }
  return headers;
}

/** Metadata goes back as a header, so its name must be one. */
function checkName(name: string): string {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return name;
  throw new S3Error('InvalidArgument', `A metadata field has a name that no header can have: ${name}`);
}
