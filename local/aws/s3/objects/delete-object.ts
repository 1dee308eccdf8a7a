import type { ObjectEvent } from '../object-event.ts';
import type { Services } from '../services.ts';
import type { Bucket } from '../store/bucket.ts';
import type { DeleteMarker, ObjectVersion } from '../store/records.ts';
import { findVersion } from './find-version.ts';
import { newVersion, sequencerOf, versionIdOf } from './store-object.ts';
import { tell } from './tell.ts';

export interface Deletion {
  key: string;
  /** Names a version to be removed for good. @default the key is deleted as its bucket's versioning has it */
  version_id?: string;
}

export interface DeletionOutcome {
  /** The version that was named, or the delete marker's. */
  version_id?: string;
  /** Whether a delete marker was made or removed. */
  marker: boolean;
}

/** MD5 of nothing: the entity tag S3 reports for a delete marker. */
const emptyEtag = 'd41d8cd98f00b204e9800998ecf8427e';

/** Deletes and tells of it. Deleting what is not there succeeds, and in a versioned bucket leaves a delete marker. */
export async function deleteObject(
  services: Services,
  bucket: Bucket,
  deletion: Deletion,
  requester: string,
): Promise<DeletionOutcome> {
  const { key, version_id: versionId } = deletion;
  if (versionId !== undefined || bucket.state().versioning === 'Unversioned') {
    const version = findVersion(bucket, key, versionId);
    if (!version) return { version_id: versionId, marker: false };
    const event = eventOf(version, 'Permanently Deleted', services.buckets.nextSequence());
    bucket.commit({ remove: { key, version_id: version.version_id }, event });
    await tell(services, bucket, event);
    return { version_id: versionId, marker: version.kind === 'marker' };
  }
  const marker: DeleteMarker = { kind: 'marker', key, ...newVersion(services, bucket) };
  const event = eventOf(marker, 'Delete Marker Created', marker.sequence);
  bucket.commit({ put: marker, event });
  await tell(services, bucket, event);
  return { version_id: marker.version_id, marker: true };

  function eventOf(
    version: ObjectVersion,
    deletionType: 'Permanently Deleted' | 'Delete Marker Created',
    sequence: number,
  ): ObjectEvent {
    return {
      name: 'ObjectDeleted',
      reason: 'DeleteObject',
      deletion_type: deletionType,
      bucket: bucket.name,
      key,
      version_id: versionIdOf(bucket, version.version_id),
      size: version.kind === 'object' ? version.size : 0,
      etag: version.kind === 'object' ? version.etag : emptyEtag,
      sequencer: sequencerOf(sequence),
      requester,
    };
  }
}
