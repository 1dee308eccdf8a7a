import { type ChecksumAlgorithm, checksumAlgorithms, checksumTypeOf } from '../checksum.ts';
import { S3Error } from '../errors.ts';
import { childrenOf, malformed, readXml, textOf, type XmlElement } from '../http/xml.ts';
import type { OpenUpload } from '../store/bucket.ts';
import type { UploadedPart } from '../store/records.ts';

/** One part as the caller names it. */
interface NamedPart {
  number: number;
  etag: string;
  checksums: Partial<Record<ChecksumAlgorithm, string>>;
}

const smallestPart = 5 * 1024 * 1024;

/**
 * Reads a `<CompleteMultipartUpload>` document and finds its parts.
 * @throws `InvalidPartOrder`, `InvalidPart`, `EntityTooSmall` (every part but the last has at least 5 MiB), `InvalidRequest`
 */
export function readCompletion(document: string, upload: OpenUpload): UploadedPart[] {
  const named = childrenOf(readXml(document, 'CompleteMultipartUpload'), 'Part').map(readPart);
  if (named.length === 0) throw malformed();
  if (named.some((part, at) => at > 0 && part.number <= named[at - 1]!.number)) {
    throw new S3Error(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. Parts must be ordered by part number.',
      { elements: { UploadId: upload.upload_id } },
    );
  }
  const parts = named.map((part) => findPart(part, upload));
  const small = parts.slice(0, -1).find((part) => part.size < smallestPart);
  if (!small) return parts;
  throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
    elements: {
      ProposedSize: small.size,
      MinSizeAllowed: smallestPart,
      PartNumber: small.number,
      ETag: small.etag,
    },
  });
}

function readPart(element: XmlElement): NamedPart {
  const number = Number(textOf(element, 'PartNumber'));
  const etag = textOf(element, 'ETag')?.replace(/^"(.*)"$/, '$1');
  if (!Number.isInteger(number) || !etag) throw malformed();
  const checksums = checksumAlgorithms.map((name) => [name, textOf(element, `Checksum${name}`)] as const);
  return { number, etag, checksums: Object.fromEntries(checksums.filter(([, value]) => value !== undefined)) };
}

function findPart(named: NamedPart, upload: OpenUpload): UploadedPart {
  const part = upload.parts.get(named.number);
  const algorithm = upload.checksum_algorithm;
  if (algorithm && checksumTypeOf(algorithm) === 'COMPOSITE' && named.checksums[algorithm] === undefined) {
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${named.number} in the request.`,
    );
  }
  const given = part && named.checksums[part.checksum.algorithm];
  if (part && part.etag === named.etag && (given === undefined || given === part.checksum.value)) return part;
  throw new S3Error(
    'InvalidPart',
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { elements: { UploadId: upload.upload_id, PartNumber: named.number, ETag: named.etag } },
  );
}
