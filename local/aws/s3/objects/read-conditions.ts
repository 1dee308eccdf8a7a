import { S3Error } from '../errors.ts';
import type { Headers } from '../http/headers.ts';
import type { StoredObject } from '../store/records.ts';
import { namesEntityTag } from './entity-tags.ts';

export const readConditionHeaders = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'];

/**
 * Weighs the conditions of a read in the order of RFC 9110, section 13.2.2: a tag outweighs a date.
 * @returns whether the reader has the object already (304)
 * @throws `PreconditionFailed`
 */
export function isNotModified(headers: Headers, object: StoredObject): boolean {
  const match = headers.get('if-match');
  const unmodifiedSince = dateOf(headers.get('if-unmodified-since'));
  if (match !== undefined) {
    if (!namesEntityTag(match, object.etag)) throw preconditionFailed('If-Match');
  } else if (unmodifiedSince !== undefined && seconds(object.last_modified) > unmodifiedSince) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  const noneMatch = headers.get('if-none-match');
  if (noneMatch !== undefined) return namesEntityTag(noneMatch, object.etag);
  const modifiedSince = dateOf(headers.get('if-modified-since'));
  return modifiedSince !== undefined && seconds(object.last_modified) <= modifiedSince;
}

export function preconditionFailed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    elements: { Condition: condition },
  });
}

/** HTTP dates carry whole seconds. A date that can't be read is no condition. */
function dateOf(header: string | undefined): number | undefined {
  const time = Date.parse(header ?? '');
  return Number.isNaN(time) ? undefined : seconds(time);
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
