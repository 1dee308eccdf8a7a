import type { Call } from '../call.ts';
import { S3Error, type S3ErrorCode } from '../errors.ts';
import type { Bucket } from '../store/bucket.ts';
import type { StoredObject } from '../store/records.ts';
import { findObject } from './find-version.ts';

/** The permissions without which S3 answers 403 in place of a 404. Which of two it wants for a missing version, it does not document. */
const listActions: Partial<Record<S3ErrorCode, readonly string[]>> = {
  NoSuchKey: ['s3:ListBucket'],
  NoSuchVersion: ['s3:ListBucket', 's3:ListBucketVersions'],
};

/** Finds an object to be read and records the actions for it, those for being told that it is missing included. */
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
    const actions = error instanceof S3Error ? listActions[error.code] : undefined;
    for (const action of actions ?? []) call.record(action, { bucket: bucket.name });
    throw error;
  }
}
