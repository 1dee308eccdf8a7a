import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { S3Error, type S3ErrorCode } from '../errors.ts';
import { type Answer, type Headers, headerText } from '../http/messages.ts';
import { writeXml } from '../http/xml.ts';
import type { Bucket } from '../store/bucket.ts';
import type { DeleteMarker, ObjectVersion, StoredObject } from '../store/records.ts';
import { checksumHeaders, contentHeaders, objectHeaders } from './attributes.ts';
import { type Call, type Services, xmlAnswer } from './call.ts';

/**
 * Weighs the conditions of a read in the order of RFC 9110, section 13.2.2: a tag outweighs a date.
 * @returns whether the reader has the object already (304)
 * @throws `PreconditionFailed`
 */
function isNotModified(headers: Headers, object: StoredObject): boolean {
  const match = headers.get('if-match');
  const unmodifiedSince = dateOf(headers.get('if-unmodified-since'));
  if (match !== undefined) {
    if (!namesEntityTag(match, object.etag)) throw preconditionFailed('If-Match');
  } else if (unmodifiedSince !== undefined && seconds(object.last_modified) > unmodifiedSince) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  const noneMatch = headers.get('if-none-match');
  if (noneMatch !== undefined) return namesEntityTag(noneMatch, object.etag);
  const modifiedSince = dateOf(headers.get('if-modified-since'));
  return modifiedSince !== undefined && seconds(object.last_modified) <= modifiedSince;
}

export function preconditionFailed(condition: string): S3Error {
  return new S3Error(
    'PreconditionFailed',
    `At least one of the pre-conditions you specified did not hold: ${condition}`,
  );
}

/** HTTP dates carry whole seconds. A date that can't be read is no condition. */
function dateOf(header: string | undefined): number | undefined {
  const time = Date.parse(header ?? '');
  return Number.isNaN(time) ? undefined : seconds(time);
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

/** GetObject and HeadObject. */
export async function getObject(call: Call, services: Pick<Services, 'buckets'>): Promise<Answer> {
  const bucket = services.buckets.get(call.target.bucket);
  const object = readableObject(call, bucket, call.target.key, call.query.get('versionId'));
  const headers = objectHeaders(bucket, object);
  for (const name of contentHeaders) {
    const value = call.query.get(`response-${name}`);
    if (value !== undefined) headers[name] = headerText(value);
  }
  if (isNotModified(call.headers, object)) return { status: 304, headers };

  const range = readRange(call.headers.get('range'), object.size);
  headers['content-length'] = String(range ? range.end - range.start + 1 : object.size);
  if (range && object.size > 0) headers['content-range'] = `bytes ${range.start}-${range.end}/${object.size}`;
  // A checksum over the whole would not fit a part of it, and clients would check it against that.
  if (!range && call.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED') {
    Object.assign(headers, checksumHeaders(object));
  }
  return { status: range ? 206 : 200, headers, body: call.method === 'HEAD' ? '' : openBody(bucket, object, range) };
}

/** Opens the file at once, so that an overwrite or deletion from now on leaves this reader its version. */
function openBody(bucket: Bucket, object: StoredObject, range: ByteRange | undefined): Readable {
  if (object.size === 0) return Readable.from([]);
  return createReadStream('', { fd: bucket.blobs.open(object.blob), ...range });
}

/** Objects have no tags here. Version 2 of the AWS CLI asks for them before it copies a large object. */
export async function getObjectTagging(call: Call, services: Services): Promise<Answer> {
  findObject(services.buckets.get(call.target.bucket), call.target.key, undefined);
  return xmlAnswer(writeXml('Tagging', { TagSet: '' }));
}

/** The permissions without which S3 answers 403 in place of a 404. Which of two it wants for a missing version, it does not document. */
const listActions: Partial<Record<S3ErrorCode, readonly string[]>> = {
  NoSuchKey: ['s3:ListBucket'],
  NoSuchVersion: ['s3:ListBucket', 's3:ListBucketVersions'],
};

/** Finds an object to be read and records the actions for it, those for being told that it is missing included. */
export function readableObject(
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
 * Finds what a read addresses: a key's current object, or the named version.
 * @throws `NoSuchKey` (with the marker's headers when it is deleted), `NoSuchVersion`, `MethodNotAllowed` for a named delete marker
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

/** @throws `InvalidArgument` for a version id that this server could not have made */
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
 * Reads `Range: bytes=…` with one range. Several ranges, another unit or a malformed one mean the whole object, as at S3.
 * @throws `InvalidRange` when nothing of the object lies in it
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

/** Whether an `If-Match`-like header names this entity tag: `*`, or a list of tags with or without quotes. */
export function namesEntityTag(header: string, etag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => tag.trim().replace(/^(?:W\/)?"(.*)"$/, '$1') === etag);
}
