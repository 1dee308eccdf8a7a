import type { Call } from '../call.ts';
import { S3Error } from '../errors.ts';
import type { Bucket } from '../store/bucket.ts';
import type { StoredObject } from '../store/records.ts';
import { findObject } from './find-version.ts';

/**
 * Finds an object to be read and notes the actions for it. On AWS a caller without `s3:ListBucket` is told 403 in place of
 * `NoSuchKey`, so whoever gets to see that 404 is noted to need it.
 */
export function readableObject(
  call: Pick<Call, 'record'>,
  bucket: Bucket,
  key: string,
  versionId: string | undefined,
): StoredObject {
  call.record(versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', { bucket: bucket.name, key });
  try {
    return findObject(bucket, key, versionId);
  } catch (error) {
    if (error instanceof S3Error && error.code === 'NoSuchKey') call.record('s3:ListBucket', { bucket: bucket.name });
    throw error;
  }
}
