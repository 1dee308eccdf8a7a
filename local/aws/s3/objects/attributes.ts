import { notImplemented, S3Error } from '../errors.ts';
import type { Headers } from '../http/headers.ts';
import type { ObjectAttributes } from '../store/records.ts';
import { decodeMetadata } from './metadata-text.ts';
import { readTaggingHeader } from './tags.ts';

/** Headers that describe an object's bytes. */
const contentHeaders = ['cache-control', 'content-disposition', 'content-language', 'content-type', 'expires'];

const encryptionHeaders = [
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
];

/** The `x-amz-` headers that `readAttributes` understands. */
export const attributeHeaders = [
  ...encryptionHeaders,
  'x-amz-acl',
  'x-amz-meta-*',
  'x-amz-storage-class',
  'x-amz-tagging',
];

const metadataPrefix = 'x-amz-meta-';
const mostMetadataBytes = 2048;

/** Reads what a request that creates an object says about it. */
export function readAttributes(headers: Headers): ObjectAttributes {
  checkAcl(headers.get('x-amz-acl'));
  const storageClass = headers.get('x-amz-storage-class') ?? 'STANDARD';
  if (storageClass !== 'STANDARD') throw notImplemented(`the storage class ${storageClass}`);
  const tagging = headers.get('x-amz-tagging');
  return {
    headers: { ...readContentHeaders(headers), ...readEncryption(headers) },
    metadata: readMetadata(headers),
    tags: tagging === undefined ? [] : readTaggingHeader(tagging),
  };
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

/** Nothing is encrypted here; what was asked for is echoed, AES256 being S3's default. */
function readEncryption(headers: Headers): Record<string, string> {
  const method = headers.get('x-amz-server-side-encryption') ?? 'AES256';
  if (method !== 'AES256' && method !== 'aws:kms') throw notImplemented(`x-amz-server-side-encryption: ${method}`);
  const stored: Record<string, string> = { 'x-amz-server-side-encryption': method };
  for (const name of encryptionHeaders.slice(1)) {
    const value = headers.get(name);
    if (value === undefined) continue;
    if (method !== 'aws:kms')
      throw new S3Error('InvalidArgument', `${name} needs x-amz-server-side-encryption: aws:kms`);
    stored[name] = value;
  }
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
function checkAcl(acl: string | undefined): void {
  if (acl === undefined || acl === 'private' || acl === 'bucket-owner-full-control') return;
  throw new S3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs');
}
