import { receiveText } from '../body/receive.ts';
import { notImplemented, S3Error } from '../errors.ts';
import { checkKey } from '../http/target.ts';
import { childrenOf, malformed, namesOf, readXml, textOf, writeXml, type XmlContent } from '../http/xml.ts';
import { type Deletion, type DeletionOutcome, deleteObject } from '../objects/delete-object.ts';
import { bodyHeaders, type Operation, xmlAnswer } from './operation.ts';

const mostKeys = 1000;

export const deleteObjects: Operation = {
  name: 'DeleteObjects',
  method: 'POST',
  target: 'bucket',
  selectors: ['delete'],
  headers: bodyHeaders,
  run: async (call, services) => {
    const bucket = services.buckets.get(call.target.bucket);
    requireChecksum(call.headers);
    const { deletions, quiet } = readRequest(await receiveText(call));
    const results: XmlContent[] = [];
    const failures: XmlContent[] = [];
    for (const deletion of deletions) {
      const { key, version_id: versionId } = deletion;
      call.record(versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion', { bucket: bucket.name, key });
      try {
        results.push(resultOf(deletion, await deleteObject(services, bucket, deletion, call.access_key_id)));
      } catch (error) {
        if (!(error instanceof S3Error)) throw error;
        failures.push({ Key: key, VersionId: versionId, Code: error.code, Message: error.message });
      }
    }
    return xmlAnswer(writeXml('DeleteResult', { Deleted: quiet ? [] : results, Error: failures }));
  },
};

function resultOf({ key, version_id: versionId }: Deletion, outcome: DeletionOutcome): XmlContent {
  return {
    Key: key,
    VersionId: versionId,
    DeleteMarker: outcome.marker || undefined,
    DeleteMarkerVersionId: outcome.marker ? outcome.version_id : undefined,
  };
}

function requireChecksum(headers: ReadonlyMap<string, string>): void {
  const proven = ['content-md5', 'x-amz-trailer'].some((name) => headers.has(name));
  if (proven || [...headers.keys()].some((name) => name.startsWith('x-amz-checksum-'))) return;
  throw new S3Error('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
}

function readRequest(document: string): { deletions: Deletion[]; quiet: boolean } {
  const root = readXml(document, 'Delete');
  const deletions = childrenOf(root, 'Object').map((object): Deletion => {
    const other = namesOf(object).find((name) => name !== 'Key' && name !== 'VersionId');
    if (other !== undefined) throw notImplemented(`DeleteObjects with ${other}`);
    const key = textOf(object, 'Key');
    if (!key) throw malformed();
    return { key: checkKey(key), version_id: textOf(object, 'VersionId') || undefined };
  });
  if (deletions.length === 0 || deletions.length > mostKeys) {
    throw malformed(`A request deletes at least 1 and at most ${mostKeys} objects.`);
  }
  return { deletions, quiet: textOf(root, 'Quiet') === 'true' };
}
