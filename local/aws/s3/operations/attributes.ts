import { checksumHeader } from '../body/checksum.ts';
import { S3Error } from '../errors.ts';
import type { Headers } from '../http/messages.ts';
import type { Bucket } from '../store/bucket.ts';
import type { ObjectAttributes, ObjectVersion, StoredObject } from '../store/records.ts';

/** Headers that describe an object's bytes. */
export const contentHeaders = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

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
  const codings = (stored['content-encoding'] ?? '').split(',').map((coding) => coding.trim());
  const encoding = codings.filter((coding) => coding !== '' && coding !== 'aws-chunked').join(',');
  if (encoding === '') delete stored['content-encoding'];
  else stored['content-encoding'] = encoding;
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
  throw new S3Error(
    'MetadataTooLarge',
    `Your metadata headers exceed the maximum allowed metadata size: ${bytes} of ${mostMetadataBytes} bytes.`,
  );
}

/** Buckets enforce their owner, as new ones do on AWS: an ACL that says anything else is refused. */
export function checkAcl(acl: string | undefined): void {
  if (acl === undefined || acl === 'private' || acl === 'bucket-owner-full-control') return;
  throw new S3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs');
}

/**
 * S3 reads metadata as RFC 2047 text and gives it back so: ASCII stays as it is, anything else becomes encoded words.
 * A header's bytes are Latin-1 to it, so raw UTF-8 comes back garbled, as in its guide's own example ("Working with object metadata").
 */
function decodeMetadata(value: string): string {
  // White space between two encoded words only separates them.
  return value.replace(/(\?=)\s+(?==\?)/g, '$1').replace(encodedWord, (word, charset, encoding, text) => {
    const bytes = encoding.toUpperCase() === 'B' ? Buffer.from(text, 'base64') : fromQ(text);
    try {
      return new TextDecoder(charset, { fatal: true }).decode(bytes);
    } catch {
      return word;
    }
  });
}

/** B for text that is mostly non-ASCII, Q for the rest; a word has at most 75 characters (RFC 2047, section 2). */
function encodeMetadata(value: string): string {
  // Control characters too, which a form's field may bring and no header may carry.
  const foreign = value.match(/[^ -~]/gu)?.length ?? 0;
  if (foreign === 0) return value;
  const mostlyAscii = [...value].length > 2 * foreign;
  const encode = mostlyAscii ? toQ : (text: string) => Buffer.from(text).toString('base64');
  const head = mostlyAscii ? '=?UTF-8?Q?' : '=?UTF-8?B?';
  const room = longestWord - head.length - '?='.length;
  const words: string[] = [];
  let piece = '';
  for (const sign of value) {
    if (encode(piece + sign).length > room) {
      words.push(piece);
      piece = '';
    }
    piece += sign;
  }
  return [...words, piece].map((text) => `${head}${encode(text)}?=`).join(' ');
}

const longestWord = 75;
const encodedWord = /=\?([\w-]+)\?([BbQq])\?([^?\s]*)\?=/g;

function fromQ(text: string): Buffer {
  const latin1 = text
    .replaceAll('_', ' ')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, 'latin1');
}

function toQ(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const sign = String.fromCharCode(byte);
      if (/[A-Za-z0-9!*+/-]/.test(sign)) return sign;
      return sign === ' ' ? '_' : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

type HeaderValues = Record<string, string | undefined>;

/** The answer headers of a stored object without its length. */
export function objectHeaders(bucket: Bucket, object: StoredObject): HeaderValues {
  const headers: HeaderValues = {
    ...object.headers,
    'x-amz-version-id': versionIdOf(bucket, object),
    'accept-ranges': 'bytes',
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.last_modified).toUTCString(),
  };
  for (const [name, value] of Object.entries(object.metadata)) headers[`x-amz-meta-${name}`] = encodeMetadata(value);
  return headers;
}

/** The answer headers of a request that has stored an object. */
export function storedHeaders(bucket: Bucket, object: StoredObject): HeaderValues {
  const version = { 'x-amz-version-id': versionIdOf(bucket, object) };
  return { ...version, etag: `"${object.etag}"`, ...checksumHeaders(object) };
}

/** The same as elements of an XML answer. */
export function storedElements({ etag, checksum }: StoredObject): Record<string, string> {
  return { ETag: `"${etag}"`, ChecksumType: checksum.type, [`Checksum${checksum.algorithm}`]: checksum.value };
}

export function checksumHeaders({ checksum }: StoredObject): HeaderValues {
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };
}

/** A bucket that was never versioned says nothing of versions. */
export function versionIdOf(bucket: Bucket, version: Pick<ObjectVersion, 'version_id'>): string | undefined {
  return bucket.state().versioning === 'Unversioned' ? undefined : version.version_id;
}
