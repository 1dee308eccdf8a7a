import { checksumHeader } from '../checksum.ts';
import type { Bucket } from '../store/bucket.ts';
import type { ObjectVersion, StoredObject } from '../store/records.ts';
import { encodeMetadata } from './metadata-text.ts';

type HeaderValues = Record<string, string | undefined>;

/** The answer headers of a stored object without its length. */
export function objectHeaders(bucket: Bucket, object: StoredObject): HeaderValues {
  const headers: HeaderValues = {
    ...object.headers,
    ...versionHeader(bucket, object),
    'accept-ranges': 'bytes',
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.last_modified).toUTCString(),
  };
  for (const [name, value] of Object.entries(object.metadata)) headers[`x-amz-meta-${name}`] = encodeMetadata(value);
  return headers;
}

/** The answer headers of a request that has stored an object. */
export function storedHeaders(bucket: Bucket, object: StoredObject): HeaderValues {
  return { ...versionHeader(bucket, object), etag: `"${object.etag}"` };
}

export function checksumHeaders({ checksum }: StoredObject): HeaderValues {
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };
}

/** A bucket that was never versioned says nothing of versions. */
export function versionHeader(bucket: Bucket, version: Pick<ObjectVersion, 'version_id'>): HeaderValues {
  return bucket.state().versioning === 'Unversioned' ? {} : { 'x-amz-version-id': version.version_id };
}
