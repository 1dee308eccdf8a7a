import { receiveText } from '../body/receive.ts';
import { notImplemented, S3Error } from '../errors.ts';
import { checkKey, type S3Response } from '../http/messages.ts';
import { childrenOf, malformedXml, namesOf, readXml, textOf, writeXml, type XmlContent } from '../http/xml.ts';
import type { Bucket } from '../store/bucket.ts';
import type { DeleteMarker, ObjectEvent, ObjectVersion } from '../store/records.ts';
import { versionIdOf } from './attributes.ts';
import { type Call, type Services, xmlResponse } from './call.ts';
import { findVersion } from './get-object.ts';
import { formatSequencer, newVersion, publishEvent } from './put-object.ts';

export async function deleteObject(call: Call, services: Services): Promise<S3Response> {
  const versionId = call.query.get('versionId');
  call.record(versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion');
  const bucket = services.buckets.get(call.target.bucket);
  const deletion = { key: call.target.key, version_id: versionId };
  const outcome = await removeObject(services, bucket, deletion, call.access_key_id);
  return {
    status: 204,
    headers: {
      'x-amz-version-id': outcome.version_id,
      'x-amz-delete-marker': outcome.marker ? 'true' : undefined,
    },
  };
}

const maxKeys = 1000;

export async function deleteObjects(call: Call, services: Services): Promise<S3Response> {
  const bucket = services.buckets.get(call.target.bucket);
  requireChecksum(call.headers);
  const { deletions, quiet } = readRequest(await receiveText(call));
  const results: XmlContent[] = [];
  const failures: XmlContent[] = [];
  for (const deletion of deletions) {
    const { key, version_id: versionId } = deletion;
    call.record(versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion', { bucket: bucket.name, key });
    try {
      const { marker, version_id: removedVersion } = await removeObject(services, bucket, deletion, call.access_key_id);
      const deleteMarker = marker ? { DeleteMarker: true, DeleteMarkerVersionId: removedVersion } : {};
      results.push({ Key: key, VersionId: versionId, ...deleteMarker });
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      failures.push({ Key: key, VersionId: versionId, Code: error.code, Message: error.message });
    }
  }
  return xmlResponse(writeXml('DeleteResult', { Deleted: quiet ? [] : results, Error: failures }));
}

function requireChecksum(headers: ReadonlyMap<string, string>): void {
  const hasChecksum = ['content-md5', 'x-amz-trailer'].some((name) => headers.has(name));
  if (hasChecksum || [...headers.keys()].some((name) => name.startsWith('x-amz-checksum-'))) return;
  throw new S3Error('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
}

function readRequest(document: string): { deletions: Deletion[]; quiet: boolean } {
  const root = readXml(document, 'Delete');
  const deletions = childrenOf(root, 'Object').map((object): Deletion => {
    const unsupported = namesOf(object).find((name) => name !== 'Key' && name !== 'VersionId');
    if (unsupported !== undefined) throw notImplemented(`DeleteObjects with ${unsupported}`);
    const key = textOf(object, 'Key');
    if (!key) throw malformedXml();
    return { key: checkKey(key), version_id: textOf(object, 'VersionId') || undefined };
  });
  if (deletions.length === 0 || deletions.length > maxKeys) {
    throw malformedXml(`A request must delete 1 to ${maxKeys} objects.`);
  }
  return { deletions, quiet: textOf(root, 'Quiet') === 'true' };
}

interface Deletion {
  key: string;
  /** A version to delete permanently. @default deletes the key by the bucket's versioning */
  version_id?: string;
}

interface DeletionOutcome {
  /** The requested version, or the delete marker's. */
  version_id?: string;
  /** Whether a delete marker was created or deleted. */
  marker: boolean;
}

/** The MD5 of no bytes, which S3 reports as the entity tag of a delete marker. */
const emptyEtag = 'd41d8cd98f00b204e9800998ecf8427e';

/**
 * Deletes an object and publishes the event. Deleting a missing object succeeds; in a versioned bucket it creates a
 * delete marker.
 */
async function removeObject(
  services: Services,
  bucket: Bucket,
  deletion: Deletion,
  requester: string,
): Promise<DeletionOutcome> {
  const { key, version_id: versionId } = deletion;
  if (versionId !== undefined || bucket.state().versioning === 'Unversioned') {
    const version = findVersion(bucket, key, versionId);
    if (!version) return { version_id: versionId, marker: false };
    const event = createEvent(version, 'Permanently Deleted', services.buckets.nextSequence());
    bucket.commit({ remove: { key, version_id: version.version_id }, event });
    await publishEvent(services, bucket, event);
    return { version_id: versionId, marker: version.kind === 'marker' };
  }
  const marker: DeleteMarker = { kind: 'marker', key, ...newVersion(services, bucket) };
  const event = createEvent(marker, 'Delete Marker Created', marker.sequence);
  bucket.commit({ put: marker, event });
  await publishEvent(services, bucket, event);
  return { version_id: marker.version_id, marker: true };

  function createEvent(
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
      version_id: versionIdOf(bucket, version),
      size: version.kind === 'object' ? version.size : 0,
      etag: version.kind === 'object' ? version.etag : emptyEtag,
      sequencer: formatSequencer(sequence),
      requester,
    };
  }
}
