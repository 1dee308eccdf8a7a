import { S3Error } from '../errors.ts';
import type { Headers } from '../http/headers.ts';
import type { ObjectAttributes } from '../store/records.ts';
import { decodeMetadata } from './metadata-text.ts';

/** Headers that describe an object's bytes. */
const contentHeaders = ['cache-control', 'content-disposition', 'content-language', 'content-type', 'expires'];

/** The `x-amz-` headers that `readAttributes` understands. */
export const attributeHeaders = ['x-amz-acl', 'x-amz-meta-*'];

const metadataPrefix = 'x-amz-meta-';
const mostMetadataBytes = 2048;

/** Reads what a request that creates an object says about it. */
export function readAttributes(headers: Headers): ObjectAttributes {
  checkAcl(headers.get('x-amz-acl'));
  return { headers: readContentHeaders(headers), metadata: readMetadata(headers) };
}

function readContentHeaders(headers: Headers): Record<string, string> {
  const stored: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const name of contentHeaders) {
    const value = headers.get(name);
    if (value) stored[name] = value;
  }
  const encoding = (headers.get('content-encoding') ?? '')
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'aws-chunked');
  if (encoding.length > 0) stored['content-encoding'] = encoding.join(',');
  return stored;
}

function readMetadata(headers: Headers): Record<string, string> {
  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of headers) {
    if (!name.startsWith(metadataPrefix)) continue;
    const key = name.slice(metadataPrefix.length);
    metadata[key] = decodeMetadata(value);
    bytes += Buffer.byteLength(key) + Buffer.byteLength(metadata[key]);
  }
  if (bytes <= mostMetadataBytes) return metadata;
  throw new S3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
    elements: { Size: bytes, MaxSizeAllowed: mostMetadataBytes },
  });
}

/** Buckets enforce their owner, as new ones do on AWS: an ACL that says anything else is refused. */
export function checkAcl(acl: string | undefined): void {
  if (acl === undefined || acl === 'private' || acl === 'bucket-owner-full-control') return;
  throw new S3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs');
}
