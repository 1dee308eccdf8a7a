import { receiveText } from '../body/receive.ts';
import { S3Error } from '../errors.ts';
import { writeXml } from '../http/xml.ts';
import { assemble } from '../multipart/assemble.ts';
import { findUpload, requireOpen } from '../multipart/find-upload.ts';
import { readCompletion } from '../multipart/read-completion.ts';
import { versionHeader } from '../objects/object-headers.ts';
import { storeObject } from '../objects/store-object.ts';
import { beginWrite, writeConditionHeaders } from '../objects/write-conditions.ts';
import { etagText, type Operation, xmlAnswer } from './operation.ts';

export const completeMultipartUpload: Operation = {
  name: 'CompleteMultipartUpload',
  method: 'POST',
  target: 'object',
  selectors: ['uploadId'],
  headers: [...writeConditionHeaders, 'x-amz-mp-object-size'],
  run: async (call, services) => {
    call.record('s3:PutObject');
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
        ETag: etagText(object.etag),
        ChecksumType: object.checksum.type,
        [`Checksum${object.checksum.algorithm}`]: object.checksum.value,
      }),
      versionHeader(bucket, object),
    );
  },
};

function checkSize(expected: string | undefined, size: number): void {
  if (expected === undefined || Number(expected) === size) return;
  throw new S3Error('InvalidRequest', `The size in x-amz-mp-object-size does not match the parts' ${size} bytes.`);
}
