import { createHash } from 'node:crypto';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { StoredImage } from '../video/record.ts';
import { inputKey } from './media-name.ts';
import { writeOnce } from './write-once.ts';

/**
 * Stores an inline image below its video's id, apart from the drop folder, so that it starts nothing. Its name holds the hash of
 * its bytes and is written once: however often and at once a request is repeated, one object lies there, and nothing overwrites
 * or outdates what a record names.
 */
export async function storeImage(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  id: string,
  { bytes, content_type }: { bytes: Uint8Array; content_type: string },
): Promise<Pick<StoredImage, 'bucket' | 'key' | 'version_id'>> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const key = inputKey(id, sha256, content_type);
  const put = new PutObjectCommand({
    Bucket: bucket,
    Key: key,
    Body: bytes,
    ContentType: content_type,
    IfNoneMatch: '*',
  });
  return { bucket, key, ...(await writeOnce(() => s3.send(put))) };
}
