import { createHash } from 'node:crypto';
import type { Call } from '../call.ts';
import { type ChecksumAlgorithm, createChecksum } from '../checksum/algorithms.ts';
import { requestedAlgorithm } from '../checksum/requested-algorithm.ts';
import { S3Error } from '../errors.ts';
import { writeXml } from '../http/write-xml.ts';
import { attributeHeaders, readAttributes } from '../objects/attributes.ts';
import { copyFiles } from '../objects/copy-files.ts';
import { type CopySource, copySourceHeaders, copySourceVersion, readCopySource } from '../objects/copy-source.ts';
import { encryptionOf, versionHeader } from '../objects/object-headers.ts';
import { type ObjectDraft, storeObject } from '../objects/store-object.ts';
import { beginWrite, writeConditionHeaders } from '../objects/write-conditions.ts';
import type { Bucket } from '../store/bucket.ts';
import type { ObjectAttributes } from '../store/records.ts';
import { etagText, type Operation, xmlAnswer, xmlTime } from './operation.ts';

const directives = ['x-amz-metadata-directive', 'x-amz-tagging-directive'] as const;

export const copyObject: Operation = {
  name: 'CopyObject',
  method: 'PUT',
  target: 'object',
  selectorHeader: 'x-amz-copy-source',
  headers: [
    ...attributeHeaders,
    ...copySourceHeaders,
    ...directives,
    ...writeConditionHeaders,
    'x-amz-checksum-algorithm',
  ],
  run: async (call, services) => {
    call.record('s3:PutObject');
    const { bucket: bucketName, key } = call.target;
    const bucket = services.buckets.get(bucketName);
    const check = beginWrite(bucket, key, call.headers);
    const source = readCopySource(call, services);
    const attributes = copiedAttributes(call, source);
    const bytes = await copyBytes(source, bucket, requestedAlgorithm(call.headers));
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
        ...encryptionOf(object.headers),
        'x-amz-copy-source-version-id': copySourceVersion(source),
      },
    );
  },
};

/** What the copy says about itself: the source's words, or the request's where a directive says REPLACE. */
function copiedAttributes(call: Call, { object, bucket, versioned }: CopySource): ObjectAttributes {
  const [replaceMetadata, replaceTags] = directives.map((name) => {
    const directive = call.headers.get(name) ?? 'COPY';
    if (directive === 'COPY' || directive === 'REPLACE') return directive === 'REPLACE';
    throw new S3Error('InvalidArgument', `Unknown ${name.includes('tagging') ? 'tagging' : 'metadata'} directive.`, {
      elements: { ArgumentName: name, ArgumentValue: directive },
    });
  });
  const ontoItself = bucket.name === call.target.bucket && object.key === call.target.key && !versioned;
  if (ontoItself && !replaceMetadata && !call.headers.has('x-amz-server-side-encryption')) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const requested = readAttributes(call.headers);
  const tags = replaceTags ? requested.tags : object.tags;
  if (!replaceTags && tags.length > 0) call.record('s3:GetObjectTagging', { bucket: bucket.name, key: object.key });
  if (tags.length > 0) call.record('s3:PutObjectTagging');
  if (replaceMetadata) return { ...requested, tags };
  const content = Object.entries(object.headers).filter(([name]) => !name.startsWith('x-amz-'));
  return {
    headers: { ...Object.fromEntries(content), ...encryptionOf(requested.headers) },
    metadata: object.metadata,
    tags,
  };
}

/** A copy is one piece, however its source was uploaded. Bytes are read again only to learn a sum that isn't known yet. */
async function copyBytes(
  { bucket: sourceBucket, object }: CopySource,
  bucket: Bucket,
  requested: ChecksumAlgorithm | undefined,
): Promise<Pick<ObjectDraft, 'blob' | 'size' | 'etag' | 'checksum'>> {
  const path = sourceBucket.blobs.path(object.blob);
  const { size, etag, checksum } = object;
  const algorithm = requested ?? checksum.algorithm;
  if (!object.parts && algorithm === checksum.algorithm) {
    return { blob: bucket.blobs.link(path), size, etag, checksum };
  }
  const [md5, sum] = [createHash('md5'), createChecksum(algorithm)];
  const { blob } = await copyFiles([{ path }], bucket.blobs, [md5, sum]);
  const value = sum.digest().toString('base64');
  return { blob, size, etag: md5.digest('hex'), checksum: { algorithm, value, type: 'FULL_OBJECT' } };
}
