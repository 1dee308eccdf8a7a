import { createHash } from 'node:crypto';
import type { Call } from '../call.ts';
import { createChecksum } from '../checksum.ts';
import { S3Error } from '../errors.ts';
import { writeXml } from '../http/xml.ts';
import { attributeHeaders, readAttributes } from '../objects/attributes.ts';
import { copyFiles } from '../objects/copy-files.ts';
import { type CopySource, copySourceHeaders, copySourceVersion, readCopySource } from '../objects/copy-source.ts';
import { versionHeader } from '../objects/object-headers.ts';
import { type ObjectDraft, storeObject } from '../objects/store-object.ts';
import { beginWrite, writeConditionHeaders } from '../objects/write-conditions.ts';
import type { Bucket } from '../store/bucket.ts';
import type { ObjectAttributes } from '../store/records.ts';
import { etagText, type Operation, xmlAnswer, xmlTime } from './operation.ts';

export const copyObject: Operation = {
  name: 'CopyObject',
  method: 'PUT',
  target: 'object',
  selectorHeader: 'x-amz-copy-source',
  headers: [
    ...attributeHeaders,
    ...copySourceHeaders,
    ...writeConditionHeaders,
    'x-amz-metadata-directive',
    // Objects have neither tags nor annotations here, whichever is to become of them.
    'x-amz-tagging-directive',
    'x-amz-object-annotation-directive',
  ],
  run: async (call, services) => {
    call.record('s3:PutObject');
    const { bucket: bucketName, key } = call.target;
    const bucket = services.buckets.get(bucketName);
    const check = beginWrite(bucket, key, call.headers);
    const source = readCopySource(call, services);
    const attributes = copiedAttributes(call, source);
    const bytes = await copyBytes(source, bucket);
    const object = await storeObject(
      services,
      bucket,
      { ...attributes, ...bytes, key },
      { reason: 'CopyObject', requester: call.access_key_id, check },
    );
    return xmlAnswer(
      writeXml('CopyObjectResult', {
        LastModified: xmlTime(object.last_modified),
        ETag: etagText(object.etag),
        ChecksumType: object.checksum.type,
        [`Checksum${object.checksum.algorithm}`]: object.checksum.value,
      }),
      {
        ...versionHeader(bucket, object),
        'x-amz-copy-source-version-id': copySourceVersion(source),
      },
    );
  },
};

/** The source's attributes, or the request's where the directive is REPLACE. */
function copiedAttributes(call: Call, { object, bucket, versioned }: CopySource): ObjectAttributes {
  const directive = call.headers.get('x-amz-metadata-directive') ?? 'COPY';
  if (directive !== 'COPY' && directive !== 'REPLACE') {
    throw new S3Error('InvalidArgument', 'Unknown metadata directive.', {
      elements: { ArgumentName: 'x-amz-metadata-directive', ArgumentValue: directive },
    });
  }
  const requested = readAttributes(call.headers);
  if (directive === 'REPLACE') return requested;
  if (bucket.name === call.target.bucket && object.key === call.target.key && !versioned) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  return { headers: object.headers, metadata: object.metadata };
}

/** A copy is one piece, however its source was uploaded; then the bytes are read again for its sums. */
async function copyBytes(
  { bucket: sourceBucket, object }: CopySource,
  bucket: Bucket,
): Promise<Pick<ObjectDraft, 'blob' | 'size' | 'etag' | 'checksum'>> {
  const path = sourceBucket.blobs.path(object.blob);
  const { size, etag, checksum } = object;
  if (!etag.includes('-')) return { blob: bucket.blobs.link(path), size, etag, checksum };
  const [md5, sum] = [createHash('md5'), createChecksum(checksum.algorithm)];
  const { blob } = await copyFiles([{ path }], bucket.blobs, [md5, sum]);
  const value = await sum.digest();
  return { blob, size, etag: md5.digest('hex'), checksum: { ...checksum, value, type: 'FULL_OBJECT' } };
}
