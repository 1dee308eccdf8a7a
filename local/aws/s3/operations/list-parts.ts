import { writeXml } from '../http/write-xml.ts';
import { findUpload } from '../multipart/find-upload.ts';
import { firstOf, owner, readLimit } from './listing.ts';
import { etagText, type Operation, xmlAnswer, xmlTime } from './operation.ts';

export const listParts: Operation = {
  name: 'ListParts',
  method: 'GET',
  target: 'object',
  selectors: ['uploadId'],
  parameters: ['max-parts', 'part-number-marker'],
  run: async (call, services) => {
    call.record('s3:ListMultipartUploadParts');
    const { bucket, upload } = findUpload(call, services);
    const marker = Number(call.query.get('part-number-marker') ?? 0);
    const limit = readLimit(call.query, 'max-parts');
    const after = [...upload.parts.values()].filter((part) => part.number > marker).sort((a, b) => a.number - b.number);
    const { items, truncated } = firstOf(after, limit);
    return xmlAnswer(
      writeXml('ListPartsResult', {
        Bucket: bucket.name,
        Key: upload.key,
        UploadId: upload.upload_id,
        Initiator: owner,
        Owner: owner,
        StorageClass: 'STANDARD',
        ChecksumAlgorithm: upload.checksum_algorithm,
        ChecksumType: upload.checksum_algorithm && upload.checksum_type,
        PartNumberMarker: marker,
        NextPartNumberMarker: items.at(-1)?.number ?? 0,
        MaxParts: limit,
        IsTruncated: truncated,
        Part: items.map((part) => ({
          PartNumber: part.number,
          LastModified: xmlTime(part.last_modified),
          ETag: etagText(part.etag),
          Size: part.size,
          [`Checksum${part.checksum.algorithm}`]: part.checksum.value,
        })),
      }),
    );
  },
};
