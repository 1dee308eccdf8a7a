import { checksumHeader } from '../body/checksum.ts';
import { S3Error } from '../errors.ts';
import type { Headers } from '../http/messages.ts';
import type { Bucket } from '../store/bucket.ts';
import type { ObjectAttributes, ObjectVersion, StoredObject } from '../store/records.ts';

/** Headers that describe an object's content. */
export const contentHeaders = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

/** The `x-amz-` headers that `readAttributes` supports. */
export const attributeHeaders = ['x-amz-acl', 'x-amz-meta-*'];

const metadataPrefix = 'x-amz-meta-';
const maxMetadataBytes = 2048;

/** Reads the attributes of an object from the headers of the request that creates it. */
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
  if (bytes <= maxMetadataBytes) return metadata;
  throw new S3Error(
    'MetadataTooLarge',
    `Your metadata headers exceed the maximum allowed metadata size: ${bytes} of ${maxMetadataBytes} bytes.`,
  );
}

/** Buckets use "bucket owner enforced", the default on AWS, which rejects any other ACL. */
export function checkAcl(acl: string | undefined): void {
  if (acl === undefined || acl === 'private' || acl === 'bucket-owner-full-control') return;
  throw new S3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs');
}

/**
 * S3 decodes metadata as RFC 2047 text and encodes it again in responses: ASCII is unchanged, other text becomes
 * encoded words. It reads header bytes as Latin-1, so raw UTF-8 comes back garbled, as in the user guide ("Working with
 * object metadata").
 */
function decodeMetadata(value: string): string {
  // White space between two encoded words is not part of the text.
  return value.replace(/(\?=)\s+(?==\?)/g, '$1').replace(encodedWord, (word, charset, encoding, text) => {
    const bytes = encoding.toUpperCase() === 'B' ? Buffer.from(text, 'base64') : decodeQ(text);
    try {
      return new TextDecoder(charset, { fatal: true }).decode(bytes);
    } catch {
      return word;
    }
  });
}

/**
 * Uses B encoding for mostly non-ASCII text and Q encoding otherwise. A word has at most 75 characters (RFC 2047,
 * section 2).
 */
function encodeMetadata(value: string): string {
  // Control characters, which a form field may contain, are encoded too: a header cannot contain them.
  const encodedCount = value.match(/[^ -~]/gu)?.length ?? 0;
  if (encodedCount === 0) return value;
  const mostlyAscii = [...value].length > 2 * encodedCount;
  const encode = mostlyAscii ? encodeQ : (text: string) => Buffer.from(text).toString('base64');
  const head = mostlyAscii ? '=?UTF-8?Q?' : '=?UTF-8?B?';
  const maxEncodedLength = maxWordLength - head.length - '?='.length;
  const words: string[] = [];
  let piece = '';
  for (const character of value) {
    if (encode(piece + character).length > maxEncodedLength) {
      words.push(piece);
      piece = '';
    }
    piece += character;
  }
  return [...words, piece].map((text) => `${head}${encode(text)}?=`).join(' ');
}

const maxWordLength = 75;
const encodedWord = /=\?([\w-]+)\?([BbQq])\?([^?\s]*)\?=/g;

function decodeQ(text: string): Buffer {
  const latin1 = text
    .replaceAll('_', ' ')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, 'latin1');
}

function encodeQ(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (/[A-Za-z0-9!*+/-]/.test(character)) return character;
      return character === ' ' ? '_' : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

type HeaderValues = Record<string, string | undefined>;

/** The response headers of an object, without its length. */
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

/** The response headers of a request that stored an object. */
export function storedHeaders(bucket: Bucket, object: StoredObject): HeaderValues {
  const version = { 'x-amz-version-id': versionIdOf(bucket, object) };
  return { ...version, etag: `"${object.etag}"`, ...checksumHeaders(object) };
}

/** The elements of an XML response for a stored object. */
export function storedElements({ etag, checksum }: StoredObject): Record<string, string> {
  return { ETag: `"${etag}"`, ChecksumType: checksum.type, [`Checksum${checksum.algorithm}`]: checksum.value };
}

export function checksumHeaders({ checksum }: StoredObject): HeaderValues {
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };
}

/** Undefined in a bucket that was never versioned. */
export function versionIdOf(bucket: Bucket, version: Pick<ObjectVersion, 'version_id'>): string | undefined {
  return bucket.state().versioning === 'Unversioned' ? undefined : version.version_id;
}
