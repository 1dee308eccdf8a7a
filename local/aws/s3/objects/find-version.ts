import { S3Error } from '../errors.ts';
import type { Bucket } from '../store/bucket.ts';
import type { DeleteMarker, ObjectVersion, StoredObject } from '../store/records.ts';

/**
 * Finds what a read addresses: a key's current object, or the named version.
 * @throws `NoSuchKey` (with the marker's headers when it is deleted), `NoSuchVersion`, `MethodNotAllowed` for a named delete marker
 */
export function findObject(bucket: Bucket, key: string, versionId: string | undefined): StoredObject {
  const version = findVersion(bucket, key, versionId);
  if (version?.kind === 'object') return version;
  if (versionId === undefined) {
    throw new S3Error('NoSuchKey', 'The specified key does not exist.', {
      elements: { Key: key },
      headers: version && markerHeaders(version),
    });
  }
  if (version) {
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
      elements: { Method: 'GET', ResourceType: 'DeleteMarker' },
      headers: {
        ...markerHeaders(version),
        allow: 'DELETE',
        'last-modified': new Date(version.last_modified).toUTCString(),
      },
    });
  }
  throw new S3Error('NoSuchVersion', 'The specified version does not exist.', {
    elements: { Key: key, VersionId: versionId },
  });
}

/** @throws `InvalidArgument` for a version id that this server could not have made */
export function findVersion(bucket: Bucket, key: string, versionId: string | undefined): ObjectVersion | undefined {
  if (versionId === undefined) return bucket.current(key);
  if (versionId !== 'null' && !/^[\w-]{32}$/.test(versionId)) {
    throw new S3Error('InvalidArgument', 'Invalid version id specified', {
      elements: { ArgumentName: 'versionId', ArgumentValue: versionId },
    });
  }
  return bucket.versions.find(key, versionId);
}

function markerHeaders(marker: DeleteMarker): Record<string, string> {
  return { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker.version_id };
}
