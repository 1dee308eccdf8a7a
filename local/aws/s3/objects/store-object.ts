import { randomBytes } from 'node:crypto';
import type { ObjectEvent } from '../object-event.ts';
import type { Services } from '../services.ts';
import type { Bucket } from '../store/bucket.ts';
import type { StoredObject } from '../store/records.ts';
import { tell } from './tell.ts';

export type ObjectDraft = Omit<StoredObject, 'kind' | 'version_id' | 'sequence' | 'last_modified'>;

export interface StoreOptions {
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
    version_id: versionIdOf(bucket, object.version_id),
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

export function versionIdOf(bucket: Bucket, versionId: string): string | undefined {
  return bucket.state().versioning === 'Unversioned' ? undefined : versionId;
}
