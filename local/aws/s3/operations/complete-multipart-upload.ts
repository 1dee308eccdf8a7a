import { receiveText } from '../body/receive.ts';
import type { Call } from '../call.ts';
import { checksumHeader } from '../checksum/algorithms.ts';
import { S3Error } from '../errors.ts';
import { writeXml } from '../http/write-xml.ts';
import { type AssembledBytes, assemble } from '../multipart/assemble.ts';
import { findUpload, requireOpen } from '../multipart/find-upload.ts';
import { readCompletion } from '../multipart/read-completion.ts';
import { encryptionOf, versionHeader } from '../objects/object-headers.ts';
import { storeObject } from '../objects/store-object.ts';
import { beginWrite, writeConditionHeaders } from '../objects/write-conditions.ts';
import { etagText, type Operation, xmlAnswer } from './operation.ts';

export const completeMultipartUpload: Operation = {
  name: 'CompleteMultipartUpload',
  method: 'POST',
  target: 'object',
  selectors: ['uploadId'],
  headers: [...writeConditionHeaders, 'x-amz-checksum-*', 'x-amz-mp-object-size'],
  run: async (call, services) => {
    call.record('s3:PutObject');
    const found = findUpload(call, services);
    const { bucket, upload } = found;
    const { key, headers, metadata, tags } = upload;
    const checkConditions = beginWrite(bucket, key, call.headers);
    const parts = readCompletion(await receiveText(withoutChecksums(call)), upload);
    const bytes = await assemble(found, parts);
    const check = () => {
      requireOpen(found);
      checkConditions();
      checkExpectations(call.headers, bytes);
    };
    const object = await storeObject(
      services,
      bucket,
      { key, headers, metadata, tags, ...bytes },
      { reason: 'CompleteMultipartUpload', requester: call.access_key_id, check, end: upload.upload_id },
    );
    return xmlAnswer(
      writeXml('CompleteMultipartUploadResult', {
        Location: `http://${call.headers.get('host')}/${bucket.name}/${key}`,
        Bucket: bucket.name,
        Key: key,
        ETag: etagText(object.etag),
        ChecksumType: object.checksum.type,
        [`Checksum${object.checksum.algorithm}`]: object.checksum.value,
      }),
      { ...versionHeader(bucket, object), ...encryptionOf(object.headers) },
    );
  },
};

/** Here checksum headers speak of the object to be made, not of the request's body. */
function withoutChecksums(call: Call): Call {
  const headers = [...call.headers].filter(([name]) => !name.startsWith('x-amz-checksum-'));
  return { ...call, headers: new Map(headers) };
}

function checkExpectations(headers: Call['headers'], { size, checksum }: AssembledBytes): void {
  const expectedSize = headers.get('x-amz-mp-object-size');
  if (expectedSize !== undefined && Number(expectedSize) !== size) {
    throw new S3Error('InvalidRequest', `The size in x-amz-mp-object-size does not match the parts' ${size} bytes.`);
  }
  const expectedType = headers.get('x-amz-checksum-type');
  if (expectedType !== undefined && expectedType !== checksum.type) {
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using the ${checksum.type} checksum mode. The complete request must use the same checksum mode.`,
    );
  }
  const value = headers.get(checksumHeader(checksum.algorithm));
  if (value === undefined || value === checksum.value || value === checksum.value.split('-')[0]) return;
  throw new S3Error('BadDigest', `The ${checksum.algorithm} you specified did not match the calculated checksum.`);
}
