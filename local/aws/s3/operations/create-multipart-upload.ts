import { randomBytes } from 'node:crypto';
import type { Call } from '../call.ts';
import { type ChecksumAlgorithm, type ChecksumType, checksumTypesOf } from '../checksum/algorithms.ts';
import { requestedAlgorithm } from '../checksum/requested-algorithm.ts';
import { S3Error } from '../errors.ts';
import { writeXml } from '../http/write-xml.ts';
import { attributeHeaders, readAttributes } from '../objects/attributes.ts';
import { encryptionOf } from '../objects/object-headers.ts';
import { type Operation, xmlAnswer } from './operation.ts';

export const createMultipartUpload: Operation = {
  name: 'CreateMultipartUpload',
  method: 'POST',
  target: 'object',
  selectors: ['uploads'],
  headers: [...attributeHeaders, 'x-amz-checksum-algorithm', 'x-amz-checksum-type'],
  run: async (call, services) => {
    call.record('s3:PutObject');
    const { bucket: bucketName, key } = call.target;
    const bucket = services.buckets.get(bucketName);
    const attributes = readAttributes(call.headers);
    if (attributes.tags.length > 0) call.record('s3:PutObjectTagging');
    const algorithm = requestedAlgorithm(call.headers);
    const upload = {
      ...attributes,
      upload_id: randomBytes(48).toString('base64url'),
      key,
      initiated: services.now(),
      checksum_algorithm: algorithm,
      checksum_type: readType(call.headers, algorithm),
    };
    bucket.commit({ upload });
    return xmlAnswer(
      writeXml('InitiateMultipartUploadResult', { Bucket: bucket.name, Key: key, UploadId: upload.upload_id }),
      {
        ...encryptionOf(upload.headers),
        'x-amz-checksum-algorithm': algorithm,
        'x-amz-checksum-type': algorithm && upload.checksum_type,
      },
    );
  },
};

/** Without an algorithm S3 sums the whole by CRC64NVME. */
function readType(headers: Call['headers'], algorithm: ChecksumAlgorithm | undefined): ChecksumType {
  const types = checksumTypesOf(algorithm ?? 'CRC64NVME');
  const requested = headers.get('x-amz-checksum-type');
  if (requested !== undefined && algorithm === undefined) {
    throw new S3Error('InvalidRequest', 'The x-amz-checksum-type header needs x-amz-checksum-algorithm.');
  }
  const type = requested === undefined ? types[0] : types.find((each) => each === requested);
  if (type) return type;
  throw new S3Error('InvalidRequest', `The ${requested} checksum type cannot be used with the ${algorithm} algorithm.`);
}
