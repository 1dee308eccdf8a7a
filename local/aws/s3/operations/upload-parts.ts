import { randomBytes } from 'node:crypto';
import { checksumHeader, checksumTypeOf, expectedChecksum, requestedAlgorithm } from '../body/checksum.ts';
import { receiveBody } from '../body/receive.ts';
import { S3Error } from '../errors.ts';
import type { S3Response } from '../http/messages.ts';
import { writeXml } from '../http/xml.ts';
import type { Bucket, OpenUpload } from '../store/bucket.ts';
import type { Upload, UploadedPart } from '../store/records.ts';
import { readAttributes, versionIdOf } from './attributes.ts';
import { type Call, type Services, xmlResponse, xmlTime } from './call.ts';
import { copyWithChecksum, readCopySource } from './copy-object.ts';
import { type ByteRange, readRange } from './get-object.ts';

export async function createMultipartUpload(call: Call, services: Services): Promise<S3Response> {
  const { bucket: bucketName, key } = call.target;
  const bucket = services.buckets.get(bucketName);
  const attributes = readAttributes(call.headers);
  const algorithm = requestedAlgorithm(call.headers);
  const upload_id = randomBytes(48).toString('base64url');
  bucket.commit({ upload: { ...attributes, upload_id, key, checksum_algorithm: algorithm } });
  return xmlResponse(
    writeXml('InitiateMultipartUploadResult', { Bucket: bucket.name, Key: key, UploadId: upload_id }),
    {
      'x-amz-checksum-algorithm': algorithm,
      'x-amz-checksum-type': algorithm && checksumTypeOf(algorithm),
    },
  );
}

export async function uploadPart(call: Call, services: Services): Promise<S3Response> {
  const target = findUpload(call, services);
  const number = readPartNumber(call.query.get('partNumber'));
  checkAlgorithm(call, target.upload);
  const { blob, result } = await target.bucket.blobs.write((write) => receiveBody(call, write));
  const { etag, checksum } = result;
  storePart(target, { number, blob, ...result });
  return { status: 200, headers: { etag: `"${etag}"`, [checksumHeader(checksum.algorithm)]: checksum.value } };
}

/** The parts must have the checksum algorithm that the upload was created with. */
function checkAlgorithm(call: Call, { checksum_algorithm: expected }: Upload): void {
  if (expected === undefined) return;
  const provided = expectedChecksum(call.headers)?.algorithm;
  if (provided === expected) return;
  throw new S3Error(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${expected.toLowerCase()}, actual checksum Type: ${provided?.toLowerCase() ?? 'null'}`,
  );
}

export async function uploadPartCopy(call: Call, services: Services): Promise<S3Response> {
  const target = findUpload(call, services);
  const number = readPartNumber(call.query.get('partNumber'));
  const source = readCopySource(call, services);
  const range = readSourceRange(call.headers.get('x-amz-copy-source-range'), source.object.size);
  const algorithm = target.upload.checksum_algorithm ?? 'CRC64NVME';
  const file = { path: source.bucket.blobs.path(source.object.blob), range };
  const part = await copyWithChecksum(file, target.bucket.blobs, algorithm);
  storePart(target, { number, ...part });
  return xmlResponse(
    writeXml('CopyPartResult', {
      LastModified: xmlTime(services.now()),
      ETag: `"${part.etag}"`,
      [`Checksum${algorithm}`]: part.checksum.value,
    }),
    { 'x-amz-copy-source-version-id': versionIdOf(source.bucket, source.object) },
  );
}

/** Stricter than a read's `Range`: both ends are required and must lie within the source. */
function readSourceRange(header: string | undefined, size: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const range = /^bytes=\d+-\d+$/.test(header) ? readRange(header, size) : undefined;
  if (range && Number(header.split('-')[1]) < size) return range;
  throw new S3Error('InvalidArgument', `The x-amz-copy-source-range must be bytes=first-last within ${size} bytes.`);
}

export async function abortMultipartUpload(call: Call, services: Services): Promise<S3Response> {
  const { bucket, upload } = findUpload(call, services);
  bucket.commit({ end: upload.upload_id });
  return { status: 204 };
}

export interface FoundUpload {
  bucket: Bucket;
  upload: OpenUpload;
}

/** Finds the multipart upload that `uploadId` names. @throws `NoSuchUpload` */
export function findUpload(call: Pick<Call, 'target' | 'query'>, services: Pick<Services, 'buckets'>): FoundUpload {
  const bucket = services.buckets.get(call.target.bucket);
  const uploadId = call.query.get('uploadId') ?? '';
  const upload = bucket.uploads.get(uploadId);
  if (upload?.key === call.target.key) return { bucket, upload };
  throw noSuchUpload();
}

/** An upload may end while a part arrives, so this is checked again at the commit. */
export function requireOpen({ bucket, upload }: FoundUpload): void {
  if (!bucket.uploads.has(upload.upload_id)) throw noSuchUpload();
}

function noSuchUpload(): S3Error {
  return new S3Error(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  );
}

const maxParts = 10_000;

function readPartNumber(text: string | undefined): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= maxParts) return number;
  throw new S3Error('InvalidArgument', `Part number must be an integer between 1 and ${maxParts}, inclusive`);
}

/** Adds a part and replaces an earlier one with its number. Removes the blob if the upload has ended. */
function storePart(target: FoundUpload, part: UploadedPart): void {
  try {
    requireOpen(target);
    target.bucket.commit({ part: { upload_id: target.upload.upload_id, part } });
  } catch (error) {
    target.bucket.blobs.remove(part.blob);
    throw error;
  }
}
