import { PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';

/** Somebody else's write came first, or comes just now. */
const conflicts: readonly string[] = ['PreconditionFailed', 'ConditionalRequestConflict'];

/**
 * Stores a file that came by a form, under a name that its sender chose.
 * @returns false when something lies there already: an upload is never overwritten, since a request may name it by now
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
