import { randomBytes } from 'node:crypto';
import { receiveBody } from '../body/receive.ts';
import { notImplemented, S3Error } from '../errors.ts';
import type { Answer, Headers } from '../http/messages.ts';
import type { Bucket } from '../store/bucket.ts';
import type { ObjectEvent, StoredObject } from '../store/records.ts';
import { readAttributes, storedHeaders, versionIdOf } from './attributes.ts';
import type { Call, Services } from './call.ts';
import { namesEntityTag, preconditionFailed } from './get-object.ts';

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

export async function putObject(call: Call, services: Services): Promise<Answer> {
  const { bucket: bucketName, key } = call.target;
  const bucket = services.buckets.get(bucketName);
  const attributes = readAttributes(call.headers);
  const check = beginWrite(bucket, key, call.headers);
  const { blob, result } = await bucket.blobs.write((write) => receiveBody(call, write));
  const object = await storeObject(
    services,
    bucket,
    { ...attributes, key, blob, ...result },
    { reason: 'PutObject', requester: call.access_key_id, check },
  );
  return { status: 200, headers: storedHeaders(bucket, object) };
}

export type ObjectDraft = Omit<StoredObject, 'kind' | 'version_id' | 'sequence' | 'last_modified'>;

interface StoreOptions {
  reason: ObjectEvent['reason'];
  requester: string;
  /** Runs in the same synchronous step as the commit; when it throws, nothing is stored. */
  check: () => void;
  /** The multipart upload that ends with this. */
  end?: string;
}

/** Makes a written blob the newest version of its key and tells of it. The blob is removed when that fails. */
export async function storeObject(
  services: Services,
  bucket: Bucket,
  draft: ObjectDraft,
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
    sequencer: sequencerOf(object.sequence),
    requester: options.requester,
  };
  try {
    options.check();
    bucket.commit({ put: object, end: options.end, event });
  } catch (error) {
    await bucket.blobs.remove(draft.blob);
    throw error;
  }
  await tell(services, bucket, event);
  return object;
}

/** What a new version gets from its bucket and the clock. */
export function newVersion(services: Pick<Services, 'buckets' | 'now'>, bucket: Bucket) {
  return {
    version_id: bucket.state().versioning === 'Enabled' ? randomBytes(24).toString('base64url') : 'null',
    sequence: services.buckets.nextSequence(),
    last_modified: services.now(),
  };
}

export function sequencerOf(sequence: number): string {
  return sequence.toString(16).toUpperCase().padStart(16, '0');
}

/** Tells of a committed change. Until that has settled the event stays in the bucket's log, and is told after the next start. */
export async function tell(
  { onObjectEvent }: Pick<Services, 'onObjectEvent'>,
  bucket: Bucket,
  event: ObjectEvent,
): Promise<void> {
  await onObjectEvent(event);
  bucket.markTold(event);
}
