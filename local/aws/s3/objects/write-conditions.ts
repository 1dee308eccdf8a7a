import { notImplemented, S3Error } from '../errors.ts';
import type { Headers } from '../http/headers.ts';
import type { Bucket } from '../store/bucket.ts';
import type { StoredObject } from '../store/records.ts';
import { namesEntityTag } from './entity-tags.ts';
import { preconditionFailed } from './read-conditions.ts';

export const writeConditionHeaders = ['if-match', 'if-none-match'];

/**
 * Checks `If-None-Match: *` and `If-Match` before a write begins.
 * @returns the check to repeat at the commit, in the same synchronous step
 * @throws `PreconditionFailed`, or `NoSuchKey` for `If-Match` without an object; at the commit also `ConditionalRequestConflict`
 *   when the object that matched has changed meanwhile
 */
export function beginWrite(bucket: Bucket, key: string, headers: Headers): () => void {
  const noneMatch = headers.get('if-none-match');
  const match = headers.get('if-match');
  if (noneMatch !== undefined && noneMatch.trim() !== '*') throw notImplemented('If-None-Match with anything but *');
  const checkAbsent = () => {
    if (noneMatch !== undefined && currentObject(bucket, key)) throw preconditionFailed('If-None-Match');
  };
  checkAbsent();
  if (match === undefined) return checkAbsent;

  const matched = currentObject(bucket, key);
  if (!matched) throw new S3Error('NoSuchKey', 'The specified key does not exist.', { elements: { Key: key } });
  if (!namesEntityTag(match, matched.etag)) throw preconditionFailed('If-Match');
  return () => {
    checkAbsent();
    if (currentObject(bucket, key) !== matched) {
      throw new S3Error(
        'ConditionalRequestConflict',
        'The conditional request cannot succeed due to a conflicting operation against this resource.',
      );
    }
  };
}

function currentObject(bucket: Bucket, key: string): StoredObject | undefined {
  const current = bucket.current(key);
  return current?.kind === 'object' ? current : undefined;
}
