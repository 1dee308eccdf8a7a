import { randomBytes } from 'node:crypto';
import { receiveBody } from '../body/receive.ts';
import { notImplemented, S3Error } from '../errors.ts';
import type { Headers, S3Response } from '../http/messages.ts';
import type { Bucket } from '../store/bucket.ts';
import type { ObjectEvent, StoredObject } from '../store/records.ts';
import { readAttributes, storedHeaders, versionIdOf } from './attributes.ts';
import type { Call, Services } from './call.ts';
import { matchesEntityTag, preconditionFailed } from './get-object.ts';

/**
 * Checks `If-None-Match: *` and `If-Match` before a write.
 * @returns the check to repeat at the commit, in the same synchronous step
 * @throws `PreconditionFailed`, or `NoSuchKey` for `If-Match` without an object; at the commit also
 *   `ConditionalRequestConflict` if the matched object has changed since
 */
export function checkWriteConditions(bucket: Bucket, key: string, headers: Headers): () => void {
  const noneMatch = headers.get('if-none-match');
  const match = headers.get('if-match');
  if (noneMatch !== undefined && noneMatch.trim() !== '*')
    throw notImplemented('If-None-Match with a value other than *');
  const checkAbsent = () => {
    if (noneMatch !== undefined && currentObject(bucket, key)) throw preconditionFailed('If-None-Match');
  };
  checkAbsent();
  if (match === undefined) return checkAbsent;

  const matched = currentObject(bucket, key);
  if (!matched) throw new S3Error('NoSuchKey', 'The specified key does not exist.', { elements: { Key: key } });
  if (!matchesEntityTag(match, matched.etag)) throw preconditionFailed('If-Match');
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

export async function putObject(call: Call, services: Services): Promise<S3Response> {
  const { bucket: bucketName, key } = call.target;
  const bucket = services.buckets.get(bucketName);
  const attributes = readAttributes(call.headers);
  const check = checkWriteConditions(bucket, key, call.headers);
  const { blob, result } = await bucket.blobs.write((write) => receiveBody(call, write));
  const object = await storeObject(
    services,
    bucket,
    { ...attributes, key, blob, ...result },
    { reason: 'PutObject', requester: call.access_key_id, check },
  );
  return { status: 200, headers: storedHeaders(bucket, object) };
}

export type NewObject = Omit<StoredObject, 'kind' | 'version_id' | 'sequence' | 'last_modified'>;

interface StoreOptions {
  reason: ObjectEvent['reason'];
  requester: string;
  /** Runs in the same synchronous step as the commit. If it throws, nothing is stored. */
  check: () => void;
  /** The id of the multipart upload that this completes. */
  end?: string;
}

/** Makes a blob the newest version of its key and publishes the event. Removes the blob if that fails. */
export async function storeObject(
  services: Services,
  bucket: Bucket,
  draft: NewObject,
  options: StoreOptions,
): Promise<StoredObject> {
  const object: StoredObject = { kind: 'object', ...draft, ...newVersion(services, bucket) };
  const event: ObjectEvent = {
    name: 'ObjectCreated',
    reason: options.reason,
    bucket: bucket.name,
    key: object.key,
    version_id: versionIdOf(bucket, object),
    size: object.size,
    etag: object.etag,
    sequencer: formatSequencer(object.sequence),
    requester: options.requester,
  };
  try {
    options.check();
    bucket.commit({ put: object, end: options.end, event });
  } catch (error) {
    bucket.blobs.remove(draft.blob);
    throw error;
  }
  await publishEvent(services, bucket, event);
  return object;
}

/** The fields of a new version that depend on the bucket and the clock. */
export function newVersion(services: Pick<Services, 'buckets' | 'now'>, bucket: Bucket) {
  return {
    version_id: bucket.state().versioning === 'Enabled' ? randomBytes(24).toString('base64url') : 'null',
    sequence: services.buckets.nextSequence(),
    last_modified: services.now(),
  };
}

export function formatSequencer(sequence: number): string {
  return sequence.toString(16).toUpperCase().padStart(16, '0');
}

/**
 * Publishes the event of a committed change. Until that succeeds the event stays in the bucket's log and is published
 * again after the next start.
 */
export async function publishEvent(
  { onObjectEvent }: Pick<Services, 'onObjectEvent'>,
  bucket: Bucket,
  event: ObjectEvent,
): Promise<void> {
  await onObjectEvent(event);
  bucket.markPublished(event);
}
