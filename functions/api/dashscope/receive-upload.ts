import { isUtf8 } from 'node:buffer';
import { PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { readAudio } from '../../media/audio.ts';
import { mediaTypeOf, videoTypeOf, wrongKindMessage } from '../../media/file-kind.ts';
import type { Caller } from '../../shared/caller.ts';
import { countUpload } from '../auth/upload-token.ts';
import { headerValues } from '../http/request.ts';
import { DashscopeError } from './errors.ts';
import { readMultipartForm } from './multipart-form.ts';
import type { DashscopeRequest, DashscopeServices } from './services.ts';
import { fileNameOf, MAX_UPLOAD_BYTES, uploadDirectory, uploadKey } from './upload-policy.ts';

/**
 * `POST uploads?upload_token=…`: receives a form with one file, as clients send it to Wan's object storage. The token names the owner and
 * the directory. The file is checked against a model's limits when a task is created from it.
 * @throws DashscopeError
 */
export async function receiveUpload(
  services: DashscopeServices,
  request: DashscopeRequest,
  { owner }: Caller,
): Promise<object> {
  const { upload_id } = request.requestContext.authorizer ?? {};
  if (typeof upload_id !== 'string' || upload_id === '') {
    throw new DashscopeError(
      'AccessDenied',
      'The URL has no upload token. Send the form to the upload_host of a policy: GET uploads?action=getPolicy.',
    );
  }
  const { key, bytes } = await readForm(request);
  const name = fileNameOf(key, upload_id);
  if (name === undefined) {
    const where = `Invalid according to Policy: the key is not in the directory of the policy, or its file name is invalid. Use ${uploadDirectory(upload_id)}/ followed by a name of at most 255 bytes without slashes and control characters.`;
    throw new DashscopeError('AccessDenied', where);
  }
  if (bytes.byteLength > MAX_UPLOAD_BYTES) {
    throw new DashscopeError(
      'BadRequest.TooLarge',
      `The file has ${bytes.byteLength} bytes; at most ${MAX_UPLOAD_BYTES} are accepted here. Upload it with POST /uploads and give its media_url, make it smaller, or give its http(s) URL.`,
    );
  }
  // An MP3 may begin with bytes that no kind of file has.
  const content_type = mediaTypeOf(bytes) ?? videoTypeOf(bytes) ?? readAudio(bytes)?.content_type;
  if (!content_type) {
    throw new DashscopeError('InvalidParameter', wrongKindMessage(bytes, 'image or audio'));
  }
  if (!(await countUpload(services.table, request.queryStringParameters?.upload_token ?? ''))) {
    const what =
      'Invalid according to Policy: its 10 files are uploaded. Get another policy: GET uploads?action=getPolicy.';
    throw new DashscopeError('AccessDenied', what);
  }
  const isStored = await storeUpload(services.s3, services.uploads_bucket, {
    key: uploadKey(owner, upload_id, name),
    bytes,
    content_type,
  });
  if (isStored) return {};
  throw new DashscopeError(
    'InvalidParameter',
    'A file of this name has already been uploaded, and overwriting is forbidden. Use another name.',
  );
}

/** Reads the form's key and file. The body arrives as base64, because forms are a binary media type of the API. */
async function readForm(request: DashscopeRequest): Promise<{ key: string; bytes: Uint8Array }> {
  const [contentType = ''] = headerValues(request, 'content-type');
  const body = Buffer.from(request.body ?? '', request.isBase64Encoded ? 'base64' : 'utf8');
  const form = await readMultipartForm(body, contentType);
  const [key, file] = [form?.get('key'), form?.get('file')];
  if (key && isUtf8(key) && file) return { key: key.toString('utf8'), bytes: file };
  const message =
    'The body is not a complete form. Send multipart/form-data with the fields of the policy, the key and the file.';
  throw new DashscopeError('InvalidParameter', message);
}

/** S3's errors when another write to the key came first, or is in progress. */
const conflicts: readonly string[] = ['PreconditionFailed', 'ConditionalRequestConflict'];

/**
 * Stores the file of a form under the name that its sender chose.
 * @returns false when the object exists: an upload is never overwritten, because a request may already name it
 */
export async function storeUpload(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  { key, bytes, content_type }: { key: string; bytes: Uint8Array; content_type: string },
): Promise<boolean> {
  const put = { Bucket: bucket, Key: key, Body: bytes, ContentType: content_type, IfNoneMatch: '*' };
  try {
    await s3.send(new PutObjectCommand(put));
    return true;
  } catch (error) {
    if (error instanceof S3ServiceException && conflicts.includes(error.name)) return false;
    throw error;
  }
}
