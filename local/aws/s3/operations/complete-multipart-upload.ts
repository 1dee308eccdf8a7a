import { createHash } from 'node:crypto';
import {
  type ChecksumAlgorithm,
  checksumTypeOf,
  createChecksum,
  type RunningChecksum,
  type StoredChecksum,
} from '../body/checksum.ts';
import { receiveText } from '../body/receive.ts';
import { S3Error } from '../errors.ts';
import type { Answer } from '../http/messages.ts';
import { childrenOf, malformed, readXml, textOf, writeXml, type XmlElement } from '../http/xml.ts';
import type { OpenUpload } from '../store/bucket.ts';
import type { UploadedPart } from '../store/records.ts';
import { storedElements, versionIdOf } from './attributes.ts';
import { type Call, type Services, xmlAnswer } from './call.ts';
import { copyFiles } from './copy-object.ts';
import { beginWrite, type ObjectDraft, storeObject } from './put-object.ts';
import { type FoundUpload, findUpload, requireOpen } from './upload-parts.ts';

export async function completeMultipartUpload(call: Call, services: Services): Promise<Answer> {
  const found = findUpload(call, services);
  const { bucket, upload } = found;
  const { key, headers, metadata } = upload;
  const checkConditions = beginWrite(bucket, key, call.headers);
  const parts = readCompletion(await receiveText(call), upload);
  const bytes = await assemble(found, parts);
  const check = () => {
    requireOpen(found);
    checkConditions();
    checkSize(call.headers.get('x-amz-mp-object-size'), bytes.size);
  };
  const object = await storeObject(
    services,
    bucket,
    { key, headers, metadata, ...bytes },
    { reason: 'CompleteMultipartUpload', requester: call.access_key_id, check, end: upload.upload_id },
  );
  return xmlAnswer(
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

const smallestPart = 5 * 1024 * 1024;

/**
 * Reads a `<CompleteMultipartUpload>` document and finds its parts.
 * @throws `InvalidPartOrder`, `InvalidPart`, `EntityTooSmall` (every part but the last has at least 5 MiB), `InvalidRequest`
 */
function readCompletion(document: string, upload: OpenUpload): UploadedPart[] {
  const parts = childrenOf(readXml(document, 'CompleteMultipartUpload'), 'Part').map((part) => findPart(part, upload));
  if (parts.length === 0) throw malformed();
  if (parts.some((part, at) => at > 0 && part.number <= parts[at - 1]!.number)) {
    throw new S3Error(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. Parts must be ordered by part number.',
    );
  }
  const small = parts.slice(0, -1).find((part) => part.size < smallestPart);
  if (!small) return parts;
  throw new S3Error(
    'EntityTooSmall',
    `Part ${small.number} has ${small.size} bytes; all but the last need ${smallestPart}.`,
  );
}

function findPart(element: XmlElement, upload: OpenUpload): UploadedPart {
  const number = Number(textOf(element, 'PartNumber'));
  const etag = textOf(element, 'ETag')?.replace(/^"(.*)"$/, '$1');
  if (!Number.isInteger(number) || !etag) throw malformed();
  const checksumOf = (algorithm: ChecksumAlgorithm) => textOf(element, `Checksum${algorithm}`);
  const algorithm = upload.checksum_algorithm;
  if (algorithm && checksumTypeOf(algorithm) === 'COMPOSITE' && checksumOf(algorithm) === undefined) {
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
    );
  }
  const part = upload.parts.get(number);
  const given = part && checksumOf(part.checksum.algorithm);
  if (part?.etag === etag && (given === undefined || given === part.checksum.value)) return part;
  throw new S3Error(
    'InvalidPart',
    `Part ${number} could not be found. It may not have been uploaded, or its entity tag may not be ${etag}.`,
  );
}

type AssembledBytes = Pick<ObjectDraft, 'blob' | 'size' | 'etag' | 'checksum'>;

/** Writes the parts into one blob and sums them as the upload was created to be. */
async function assemble(found: FoundUpload, parts: readonly UploadedPart[]): Promise<AssembledBytes> {
  const { bucket, upload } = found;
  const algorithm = upload.checksum_algorithm ?? 'CRC64NVME';
  const whole = checksumTypeOf(algorithm) === 'FULL_OBJECT' ? createChecksum(algorithm) : undefined;
  const sources = parts.map((part) => ({ path: bucket.blobs.path(part.blob) }));
  const { blob, size } = await copyFiles(sources, bucket.blobs, whole ? [whole] : []).catch((error) => {
    // An abort meanwhile takes the parts away.
    requireOpen(found);
    throw error;
  });
  const checksum: StoredChecksum = whole
    ? { algorithm, value: await whole.digest(), type: 'FULL_OBJECT' }
    : { algorithm, value: await compositeOf(parts, createChecksum(algorithm)), type: 'COMPOSITE' };
  return { blob, size, etag: etagOf(parts), checksum };
}

/** The checksum over the parts' binary checksums, and how many there were. */
async function compositeOf(parts: readonly UploadedPart[], sum: RunningChecksum): Promise<string> {
  for (const part of parts) sum.update(Buffer.from(part.checksum.value, 'base64'));
  return `${await sum.digest()}-${parts.length}`;
}

function etagOf(parts: readonly UploadedPart[]): string {
  const md5 = createHash('md5');
  for (const part of parts) md5.update(Buffer.from(part.etag, 'hex'));
  return `${md5.digest('hex')}-${parts.length}`;
}
