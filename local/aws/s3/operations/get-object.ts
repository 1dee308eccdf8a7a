import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { S3Error, type S3ErrorCode } from '../errors.ts';
import { encodeHeaderText, type Headers, type S3Response } from '../http/messages.ts';
import { writeXml } from '../http/xml.ts';
import type { Bucket } from '../store/bucket.ts';
import type { DeleteMarker, ObjectVersion, StoredObject } from '../store/records.ts';
import { checksumHeaders, contentHeaders, objectHeaders } from './attributes.ts';
import { type Call, type Services, xmlResponse } from './call.ts';

/**
 * Evaluates the conditions of a read in the order of RFC 9110, section 13.2.2: entity tags take precedence over dates.
 * @returns whether the client's copy is current (304)
 * @throws `PreconditionFailed`
 */
function isNotModified(headers: Headers, object: StoredObject): boolean {
  const match = headers.get('if-match');
  const unmodifiedSince = parseHttpDate(headers.get('if-unmodified-since'));
  if (match !== undefined) {
    if (!matchesEntityTag(match, object.etag)) throw preconditionFailed('If-Match');
  } else if (unmodifiedSince !== undefined && seconds(object.last_modified) > unmodifiedSince) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  const noneMatch = headers.get('if-none-match');
  if (noneMatch !== undefined) return matchesEntityTag(noneMatch, object.etag);
  const modifiedSince = parseHttpDate(headers.get('if-modified-since'));
  return modifiedSince !== undefined && seconds(object.last_modified) <= modifiedSince;
}

/**
 * Whether `Range` counts by `If-Range`: the client's part belongs to this object (RFC 9110, section 13.1.5). It must name the strong
 * entity tag, or exactly the date of the last change; anything else means the whole object.
 */
function isSameObject(ifRange: string | undefined, { etag, last_modified }: StoredObject): boolean {
  const validator = ifRange?.trim();
  if (validator === undefined || validator === `"${etag}"`) return true;
  return !validator.includes('"') && parseHttpDate(validator) === seconds(last_modified);
}

export function preconditionFailed(condition: string): S3Error {
  return new S3Error(
    'PreconditionFailed',
    `At least one of the pre-conditions you specified did not hold: ${condition}`,
  );
}

/** HTTP dates have whole seconds. An invalid date is ignored. */
function parseHttpDate(header: string | undefined): number | undefined {
  const time = Date.parse(header ?? '');
  return Number.isNaN(time) ? undefined : seconds(time);
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

/** GetObject and HeadObject. */
export async function getObject(call: Call, services: Pick<Services, 'buckets'>): Promise<S3Response> {
  const bucket = services.buckets.get(call.target.bucket);
  const object = findReadableObject(call, bucket, call.target.key, call.query.get('versionId'));
  const headers = objectHeaders(bucket, object);
  for (const name of contentHeaders) {
    const value = call.query.get(`response-${name}`);
    if (value !== undefined) headers[name] = encodeHeaderText(value);
  }
  if (isNotModified(call.headers, object)) return { status: 304, headers };

  const isPart = isSameObject(call.headers.get('if-range'), object);
  const range = isPart ? readRange(call.headers.get('range'), object.size) : undefined;
  headers['content-length'] = String(range ? range.end - range.start + 1 : object.size);
  if (range && object.size > 0) headers['content-range'] = `bytes ${range.start}-${range.end}/${object.size}`;
  // Clients would compare the checksum of the whole object with the range that they received.
  if (!range && call.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED') {
    Object.assign(headers, checksumHeaders(object));
  }
  return { status: range ? 206 : 200, headers, body: call.method === 'HEAD' ? '' : openBody(bucket, object, range) };
}

/** Opens the file immediately, so that a concurrent overwrite or delete does not affect this read. */
function openBody(bucket: Bucket, object: StoredObject, range: ByteRange | undefined): Readable {
  if (object.size === 0) return Readable.from([]);
  return createReadStream('', { fd: bucket.blobs.open(object.blob), ...range });
}

/** Objects have no tags here. Version 2 of the AWS CLI reads them before it copies a large object. */
export async function getObjectTagging(call: Call, services: Services): Promise<S3Response> {
  findObject(services.buckets.get(call.target.bucket), call.target.key, undefined);
  return xmlResponse(writeXml('Tagging', { TagSet: '' }));
}

/**
 * The permissions without which S3 returns 403 instead of 404. It does not document which one a missing version needs.
 */
const listActions: Partial<Record<S3ErrorCode, readonly string[]>> = {
  NoSuchKey: ['s3:ListBucket'],
  NoSuchVersion: ['s3:ListBucket', 's3:ListBucketVersions'],
};

/**
 * Finds an object for a read and records its IAM actions, including those that S3 requires to report a missing object.
 */
export function findReadableObject(
  call: Pick<Call, 'record'>,
  bucket: Bucket,
  key: string,
  versionId: string | undefined,
): StoredObject {
  call.record(versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', { bucket: bucket.name, key });
  try {
    return findObject(bucket, key, versionId);
  } catch (error) {
    const actions = error instanceof S3Error ? listActions[error.code] : undefined;
    for (const action of actions ?? []) call.record(action, { bucket: bucket.name });
    throw error;
  }
}

/**
 * Finds the current object of a key, or the requested version.
 * @throws `NoSuchKey` (with the delete marker's headers if there is one), `NoSuchVersion`, `MethodNotAllowed` for the
 *   version of a delete marker
 */
function findObject(bucket: Bucket, key: string, versionId: string | undefined): StoredObject {
  const version = findVersion(bucket, key, versionId);
  if (version?.kind === 'object') return version;
  if (versionId === undefined) {
    throw new S3Error('NoSuchKey', 'The specified key does not exist.', {
      elements: { Key: key },
      headers: version && markerHeaders(version),
    });
  }
  if (version) {
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
      headers: {
        ...markerHeaders(version),
        allow: 'DELETE',
        'last-modified': new Date(version.last_modified).toUTCString(),
      },
    });
  }
  throw new S3Error('NoSuchVersion', 'The specified version does not exist.', {
    elements: { Key: key, VersionId: versionId },
  });
}

/** @throws `InvalidArgument` for an invalid version id */
export function findVersion(bucket: Bucket, key: string, versionId: string | undefined): ObjectVersion | undefined {
  if (versionId === undefined) return bucket.current(key);
  if (versionId !== 'null' && !/^[\w-]{32}$/.test(versionId)) {
    throw new S3Error('InvalidArgument', 'Invalid version id specified');
  }
  return bucket.versions.find(key, versionId);
}

function markerHeaders(marker: DeleteMarker): Record<string, string> {
  return { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker.version_id };
}

export interface ByteRange {
  start: number;
  /** Inclusive. */
  end: number;
}

/**
 * Reads `Range: bytes=…` with one range. Several ranges, another unit or a malformed range mean the whole object, as in
 * S3.
 * @throws `InvalidRange` when the object has no byte of the range
 */
export function readRange(header: string | undefined, size: number): ByteRange | undefined {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!parts || (parts[1] === '' && parts[2] === '')) return undefined;
  const [, first, last] = parts;
  if (first === '') {
    const length = Math.min(Number(last), size);
    if (length === 0) throw invalidRange(size);
    return { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) throw invalidRange(size);
  return { start, end };
}

function invalidRange(size: number): S3Error {
  return new S3Error('InvalidRange', 'The requested range is not satisfiable', {
    headers: { 'content-range': `bytes */${size}` },
  });
}

/** Whether a header such as `If-Match` matches an entity tag: `*`, or a list of tags with or without quotes. */
export function matchesEntityTag(header: string, etag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => tag.trim().replace(/^(?:W\/)?"(.*)"$/, '$1') === etag);
}
