import { createHash } from 'node:crypto';
import { PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { StoredImage } from '../video/record.ts';

/**
 * Stores an inline image below its video's id, apart from the drop folder, so that it starts nothing. Its name holds the hash of
 * its bytes and is written once: however often and at once a request is repeated, one object lies there, and nothing overwrites
 * or outdates what a record names.
 */
export async function storeImage(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  id: string,
  image: { bytes: Uint8Array; content_type: string },
): Promise<Pick<StoredImage, 'bucket' | 'key' | 'version_id'>> {
  const sha256 = createHash('sha256').update(image.bytes).digest('hex');
  const key = `inputs/${id}/${sha256}.${image.content_type.slice('image/'.length)}`;
  try {
    const { VersionId } = await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: image.bytes,
        ContentType: image.content_type,
        IfNoneMatch: '*',
      }),
    );
    return { bucket, key, ...(VersionId ? { version_id: VersionId } : {}) };
  } catch (error) {
    // These very bytes lie there: a repetition of this request stored them, before or just now. There is no other version.
    if (error instanceof S3ServiceException && error.name === 'PreconditionFailed') return { bucket, key };
    throw error;
  }
}
