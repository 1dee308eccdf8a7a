import { createHash } from 'node:crypto';
import {
  type ChecksumAlgorithm,
  checksumTypeOf,
  createChecksum,
  type IncrementalChecksum,
  type StoredChecksum,
} from '../body/checksum.ts';
import { receiveText } from '../body/receive.ts';
import { S3Error } from '../errors.ts';
import type { S3Response } from '../http/messages.ts';
import { childrenOf, malformedXml, readXml, textOf, writeXml, type XmlElement } from '../http/xml.ts';
import type { OpenUpload } from '../store/bucket.ts';
import type { UploadedPart } from '../store/records.ts';
import { storedElements, versionIdOf } from './attributes.ts';
import { type Call, type Services, xmlResponse } from './call.ts';
import { copyFiles } from './copy-object.ts';
import { checkWriteConditions, type NewObject, storeObject } from './put-object.ts';
import { type FoundUpload, findUpload, requireOpen } from './upload-parts.ts';

export async function completeMultipartUpload(call: Call, services: Services): Promise<S3Response> {
  const target = findUpload(call, services);
  const { bucket, upload } = target;
  const { key, headers, metadata } = upload;
  const checkConditions = checkWriteConditions(bucket, key, call.headers);
  const parts = readCompletion(await receiveText(call), upload);
  const bytes = await assemble(target, parts);
  const check = () => {
    requireOpen(target);
    checkConditions();
    checkSize(call.headers.get('x-amz-mp-object-size'), bytes.size);
  };
  const object = await storeObject(
    services,
    bucket,
    { key, headers, metadata, ...bytes },
    { reason: 'CompleteMultipartUpload', requester: call.access_key_id, check, end: upload.upload_id },
  );
  return xmlResponse(
    writeXml('CompleteMultipartUploadResult', {
      Location: `http://${call.headers.get('host')}/${bucket.name}/${key}`,
      Bucket: bucket.name,
      Key: key,
      ...storedElements(object),
    }),
    { 'x-amz-version-id': versionIdOf(bucket, object) },
  );
}

function checkSize(expected: string | undefined, size: number): void {
  if (expected === undefined || Number(expected) === size) return;
  throw new S3Error('InvalidRequest', `The size in x-amz-mp-object-size does not match the parts' ${size} bytes.`);
}

const minPartSize = 5 * 1024 * 1024;

/**
 * Reads a `<CompleteMultipartUpload>` document and finds its parts.
 * @throws `InvalidPartOrder`, `InvalidPart`, `EntityTooSmall` (all parts but the last need 5 MiB), `InvalidRequest`
 */
function readCompletion(document: string, upload: OpenUpload): UploadedPart[] {
  const parts = childrenOf(readXml(document, 'CompleteMultipartUpload'), 'Part').map((part) => findPart(part, upload));
  if (parts.length === 0) throw malformedXml();
  if (parts.some((part, at) => at > 0 && part.number <= parts[at - 1]!.number)) {
    throw new S3Error(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. Parts must be ordered by part number.',
    );
  }
  const tooSmall = parts.slice(0, -1).find((part) => part.size < minPartSize);
  if (!tooSmall) return parts;
  throw new S3Error(
    'EntityTooSmall',
    `Part ${tooSmall.number} has ${tooSmall.size} bytes; all but the last need ${minPartSize}.`,
  );
}

function findPart(element: XmlElement, upload: OpenUpload): UploadedPart {
  const number = Number(textOf(element, 'PartNumber'));
  const etag = textOf(element, 'ETag')?.replace(/^"(.*)"$/, '$1');
  if (!Number.isInteger(number) || !etag) throw malformedXml();
  const checksumOf = (algorithm: ChecksumAlgorithm) => textOf(element, `Checksum${algorithm}`);
  const algorithm = upload.checksum_algorithm;
  if (algorithm && checksumTypeOf(algorithm) === 'COMPOSITE' && checksumOf(algorithm) === undefined) {
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  }
  const part = upload.parts.get(number);
  const providedChecksum = part && checksumOf(part.checksum.algorithm);
  if (part?.etag === etag && (providedChecksum === undefined || providedChecksum === part.checksum.value)) return part;
  throw new S3Error(
    'InvalidPart',
    `Part ${number} could not be found. It may not have been uploaded, or its entity tag may not be ${etag}.`,
  );
}

type AssembledBytes = Pick<NewObject, 'blob' | 'size' | 'etag' | 'checksum'>;

/** Writes the parts into one blob and computes the upload's checksum. */
async function assemble(target: FoundUpload, parts: readonly UploadedPart[]): Promise<AssembledBytes> {
  const { bucket, upload } = target;
  const algorithm = upload.checksum_algorithm ?? 'CRC64NVME';
  const fullChecksum = checksumTypeOf(algorithm) === 'FULL_OBJECT' ? createChecksum(algorithm) : undefined;
  const sources = parts.map((part) => ({ path: bucket.blobs.path(part.blob) }));
  const { blob, size } = await copyFiles(sources, bucket.blobs, fullChecksum ? [fullChecksum] : []).catch((error) => {
    // A concurrent abort removes the parts.
    requireOpen(target);
    throw error;
  });
  const checksum: StoredChecksum = fullChecksum
    ? { algorithm, value: await fullChecksum.digest(), type: 'FULL_OBJECT' }
    : { algorithm, value: await compositeChecksum(parts, createChecksum(algorithm)), type: 'COMPOSITE' };
  return { blob, size, etag: compositeEtag(parts), checksum };
}

/** Computes the checksum of the parts' binary checksums, followed by their number. */
async function compositeChecksum(parts: readonly UploadedPart[], sum: IncrementalChecksum): Promise<string> {
  for (const part of parts) sum.update(Buffer.from(part.checksum.value, 'base64'));
  return `${await sum.digest()}-${parts.length}`;
}

function compositeEtag(parts: readonly UploadedPart[]): string {
  const md5 = createHash('md5');
  for (const part of parts) md5.update(Buffer.from(part.etag, 'hex'));
  return `${md5.digest('hex')}-${parts.length}`;
}
