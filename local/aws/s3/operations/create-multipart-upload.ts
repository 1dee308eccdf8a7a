import { randomBytes } from 'node:crypto';
import { checksumTypeOf, requestedAlgorithm } from '../checksum.ts';
import { writeXml } from '../http/xml.ts';
import { attributeHeaders, readAttributes } from '../objects/attributes.ts';
import { type Operation, xmlAnswer } from './operation.ts';

export const createMultipartUpload: Operation = {
  name: 'CreateMultipartUpload',
  method: 'POST',
  target: 'object',
  selectors: ['uploads'],
  headers: [...attributeHeaders, 'x-amz-checksum-algorithm'],
  run: async (call, services) => {
    call.record('s3:PutObject');
    const { bucket: bucketName, key } = call.target;
    const bucket = services.buckets.get(bucketName);
    const attributes = readAttributes(call.headers);
    const algorithm = requestedAlgorithm(call.headers);
    const upload = {
      ...attributes,
      upload_id: randomBytes(48).toString('base64url'),
      key,
      initiated: services.now(),
      checksum_algorithm: algorithm,
    };
    bucket.commit({ upload });
    return xmlAnswer(
      writeXml('InitiateMultipartUploadResult', { Bucket: bucket.name, Key: key, UploadId: upload.upload_id }),
      { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': algorithm && checksumTypeOf(algorithm) },
    );
  },
};
