import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type ChecksumAlgorithm, createChecksum } from '../body/checksum.ts';
import { S3Error } from '../errors.ts';
import { checkKey, type S3Response, uriDecode } from '../http/messages.ts';
import { writeXml } from '../http/xml.ts';
import type { Blobs } from '../store/blobs.ts';
import type { Bucket } from '../store/bucket.ts';
import type { ObjectAttributes, StoredObject, UploadedPart } from '../store/records.ts';
import { readAttributes, storedElements, versionIdOf } from './attributes.ts';
import { type Call, type Services, xmlResponse, xmlTime } from './call.ts';
import { type ByteRange, findReadableObject, matchesEntityTag, preconditionFailed } from './get-object.ts';
import { checkWriteConditions, type NewObject, storeObject } from './put-object.ts';

interface CopySource {
  bucket: Bucket;
  object: StoredObject;
  /** Whether the source names a version. */
  versioned: boolean;
}

const prefix = 'x-amz-copy-source';

/** Finds the object in `x-amz-copy-source: /<bucket>/<key>[?versionId=…]` and checks the condition on it. */
export function readCopySource(call: Call, services: Pick<Services, 'buckets'>): CopySource {
  const [, path = '', versionId] = /^\/?(.*?)(?:\?versionId=([^&]*))?$/.exec(call.headers.get(prefix) ?? '') ?? [];
  const decoded = uriDecode(path);
  const slash = decoded.indexOf('/');
  if (slash < 1 || slash === decoded.length - 1) {
    throw new S3Error('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  }
  const source = { bucket: decoded.slice(0, slash), key: checkKey(decoded.slice(slash + 1)) };
  const bucket = services.buckets.get(source.bucket);
  const object = findReadableObject(call, bucket, source.key, versionId);
  const match = call.headers.get(`${prefix}-if-match`);
  if (match !== undefined && !matchesEntityTag(match, object.etag)) throw preconditionFailed(`${prefix}-If-Match`);
  return { bucket, object, versioned: versionId !== undefined };
}

export async function copyObject(call: Call, services: Services): Promise<S3Response> {
  const { bucket: bucketName, key } = call.target;
  const bucket = services.buckets.get(bucketName);
  const check = checkWriteConditions(bucket, key, call.headers);
  const source = readCopySource(call, services);
  const attributes = resolveAttributes(call, source);
  const bytes = await copyBytes(source, bucket);
  const object = await storeObject(
    services,
    bucket,
    { ...attributes, ...bytes, key },
    { reason: 'CopyObject', requester: call.access_key_id, check },
  );
  return xmlResponse(
    writeXml('CopyObjectResult', {
      LastModified: xmlTime(object.last_modified),
      ...storedElements(object),
    }),
    {
      'x-amz-version-id': versionIdOf(bucket, object),
      'x-amz-copy-source-version-id': versionIdOf(source.bucket, source.object),
    },
  );
}

/** Returns the source's attributes, or the request's if the directive is REPLACE. */
function resolveAttributes(call: Call, { object, bucket, versioned }: CopySource): ObjectAttributes {
  const directive = call.headers.get('x-amz-metadata-directive') ?? 'COPY';
  if (directive !== 'COPY' && directive !== 'REPLACE') {
    throw new S3Error('InvalidArgument', 'Unknown metadata directive.');
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

/**
 * A copy is always a single part. If the source was a multipart upload, its bytes are copied and the checksums computed
 * again.
 */
async function copyBytes(
  { bucket: sourceBucket, object }: CopySource,
  bucket: Bucket,
): Promise<Pick<NewObject, 'blob' | 'size' | 'etag' | 'checksum'>> {
  const path = sourceBucket.blobs.path(object.blob);
  const { size, etag, checksum } = object;
  if (!etag.includes('-')) return { blob: bucket.blobs.link(path), size, etag, checksum };
  const copied = await copyWithChecksum({ path }, bucket.blobs, checksum.algorithm);
  return { ...copied, checksum: { ...copied.checksum, type: 'FULL_OBJECT' } };
}

/** Copies a file or a range of it into a new blob and computes its checksums. */
export async function copyWithChecksum(
  source: FileRange,
  target: Blobs,
  algorithm: ChecksumAlgorithm,
): Promise<Pick<UploadedPart, 'blob' | 'size' | 'etag' | 'checksum'>> {
  const [md5, sum] = [createHash('md5'), createChecksum(algorithm)];
  const { blob, size } = await copyFiles([source], target, [md5, sum]);
  return { blob, size, etag: md5.digest('hex'), checksum: { algorithm, value: await sum.digest() } };
}

interface FileRange {
  path: string;
  /** @default the whole file */
  range?: ByteRange;
}

/** Receives every copied buffer, e.g. a hash. */
interface ByteObserver {
  update(bytes: Uint8Array): unknown;
}

/** Concatenates files or ranges of files into a new blob. */
export async function copyFiles(
  sources: readonly FileRange[],
  target: Blobs,
  observers: readonly ByteObserver[],
): Promise<{ blob: string; size: number }> {
  const { blob, result } = await target.write(async (write) => {
    let size = 0;
    for (const { path, range } of sources) {
      for await (const piece of createReadStream(path, { ...range, highWaterMark: readBufferSize })) {
        size += piece.length;
        for (const observer of observers) observer.update(piece);
        await write(piece);
      }
    }
    return size;
  });
  return { blob, size: result };
}

const readBufferSize = 1024 * 1024;
