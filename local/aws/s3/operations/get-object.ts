import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Call } from '../call.ts';
import type { Answer } from '../http/answer.ts';
import { headerText } from '../http/headers.ts';
import { type ByteRange, readRange } from '../objects/byte-range.ts';
import { checksumHeaders, objectHeaders } from '../objects/object-headers.ts';
import { isNotModified, readConditionHeaders } from '../objects/read-conditions.ts';
import { readableObject } from '../objects/readable-object.ts';
import type { Services } from '../services.ts';
import type { Bucket } from '../store/bucket.ts';
import type { StoredObject } from '../store/records.ts';
import type { Operation } from './operation.ts';

/** Answer headers that a reader may replace. */
const overrides = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

const understood = {
  target: 'object',
  parameters: ['versionId', ...overrides.map((name) => `response-${name}`)],
  headers: ['x-amz-checksum-mode', ...readConditionHeaders],
} as const;

export const getObject: Operation = { name: 'GetObject', method: 'GET', ...understood, run: readObject };
export const headObject: Operation = { name: 'HeadObject', method: 'HEAD', ...understood, run: readObject };

async function readObject(call: Call, services: Pick<Services, 'buckets'>): Promise<Answer> {
  const bucket = services.buckets.get(call.target.bucket);
  const object = readableObject(call, bucket, call.target.key, call.query.get('versionId'));
  const headers = objectHeaders(bucket, object);
  for (const name of overrides) {
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
