import { expectedChecksum } from '../body/expected-checksum.ts';
import { receiveBody } from '../body/receive.ts';
import type { Call } from '../call.ts';
import { checksumHeader } from '../checksum.ts';
import { S3Error } from '../errors.ts';
import { findUpload } from '../multipart/find-upload.ts';
import { readPartNumber, storePart } from '../multipart/store-part.ts';
import type { Upload } from '../store/records.ts';
import { bodyHeaders, etagText, type Operation } from './operation.ts';

export const uploadPart: Operation = {
  name: 'UploadPart',
  method: 'PUT',
  target: 'object',
  selectors: ['partNumber', 'uploadId'],
  headers: bodyHeaders,
  run: async (call, services) => {
    call.record('s3:PutObject');
    const found = findUpload(call, services);
    const number = readPartNumber(call.query.get('partNumber'));
    checkAlgorithm(call, found.upload);
    const { blob, result } = await found.bucket.blobs.write((write) => receiveBody(call, write));
    const { size, md5: etag, checksum } = result;
    const part = await storePart(found, { number, size, etag, checksum, blob }, services);
    return {
      status: 200,
      headers: {
        etag: etagText(part.etag),
        [checksumHeader(checksum.algorithm)]: checksum.value,
      },
    };
  },
};

/** The parts of an upload that was created with an algorithm must come with that one. */
function checkAlgorithm(call: Call, { checksum_algorithm: wanted }: Upload): void {
  if (wanted === undefined) return;
  const given = expectedChecksum(call.headers)?.algorithm;
  if (given === wanted) return;
  throw new S3Error(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${wanted.toLowerCase()}, actual checksum Type: ${given?.toLowerCase() ?? 'null'}`,
  );
}
