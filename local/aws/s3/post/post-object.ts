import { parseAmzDate, parseCredential, uriEncode, uriEncodePath } from '../../signature/canonical.ts';
import { checkSignature, type SignatureServices, signingKeyOf } from '../../signature/verify.ts';
import { receiveBytes, tooLarge } from '../body/receive.ts';
import { S3Error } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import { type Form, readForm } from '../http/form-data.ts';
import type { Headers } from '../http/headers.ts';
import { checkKey, type Target } from '../http/target.ts';
import { writeXml } from '../http/xml.ts';
import { readAttributes } from '../objects/attributes.ts';
import { checksumHeaders, storedHeaders } from '../objects/object-headers.ts';
import { storeObject } from '../objects/store-object.ts';
import type { Services } from '../services.ts';
import type { StoredObject } from '../store/records.ts';
import { formHeaders } from './form-headers.ts';
import { checkPolicy, parsePolicy, type SizeLimits } from './policy.ts';

export interface PostRequest {
  method: string;
  target: Target;
  headers: Headers;
  body: AsyncIterable<Buffer>;
}

export interface PostServices extends Services, SignatureServices {
  recordCall: (call: { access_key_id: string; action: string; bucket: string; key: string }) => void;
}

const gibibyte = 1024 ** 3;

/** Whether a request is a browser's form: it is signed by its policy and not by a header. */
export function isPostObject({ method, target, headers }: PostRequest): boolean {
  const isForm = headers.get('content-type')?.startsWith('multipart/form-data') ?? false;
  return method === 'POST' && target.bucket !== '' && target.key === '' && isForm && !headers.has('authorization');
}

/** POST Object: an upload by HTML form under a signed policy. */
export async function postObject(request: PostRequest, services: PostServices): Promise<Answer> {
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
    {
      ...attributes,
      key,
      blob,
      size: result.size,
      etag: result.md5,
      checksum: { ...result.checksum, type: 'FULL_OBJECT' },
    },
    { reason: 'POST Object', requester: accessKeyId, check: () => {} },
  );
  const location = `http://${request.headers.get('host')}/${bucket.name}/${uriEncodePath(key)}`;
  const answer = successAnswer(form.fields, bucket.name, object, location);
  return {
    ...answer,
    headers: { location, ...storedHeaders(bucket, object), ...checksumHeaders(object), ...answer.headers },
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
      { elements: { ArgumentName: 'key' } },
    );
  }
  if (!file) {
    throw new S3Error('InvalidArgument', 'POST requires exactly one file upload per request.', {
      elements: { ArgumentName: 'file', ArgumentValue: 0 },
    });
  }
  // Some browsers send a path; S3 keeps its last part.
  const fileName = file.name.split(/[\\/]/).at(-1) ?? '';
  return { key: checkKey(key.replace(/\$\{filename\}/g, () => fileName)), file };
}

async function* limitSize(bytes: AsyncIterable<Buffer>, limits: SizeLimits): AsyncGenerator<Buffer> {
  const most = Math.min(limits.most, 5 * gibibyte);
  let size = 0;
  for await (const piece of bytes) {
    size += piece.length;
    if (size > most) throw tooLarge(size, most);
    yield piece;
  }
  if (size < limits.least)
    throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      elements: { ProposedSize: size, MinSizeAllowed: limits.least },
    });
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
