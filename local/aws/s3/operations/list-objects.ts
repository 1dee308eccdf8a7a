import { uriEncodePath } from '../../signature/canonical.ts';
import { S3Error } from '../errors.ts';
import type { S3Response } from '../http/messages.ts';
import { writeXml, type XmlContent } from '../http/xml.ts';
import type { Bucket } from '../store/bucket.ts';
import type { ObjectVersion } from '../store/records.ts';
import { compareBytes, lowerBound } from '../store/version-index.ts';
import { type Call, type Services, xmlResponse, xmlTime } from './call.ts';

export async function listObjectsV2(call: Call, services: Services): Promise<S3Response> {
  const { bucket, listing } = readListing(call, services, 's3:ListBucket');
  if (call.query.get('list-type') !== '2') {
    throw new S3Error('InvalidArgument', 'Invalid List Type specified in Request');
  }
  const token = call.query.get('continuation-token');
  const startAfter = call.query.get('start-after');
  const after = token === undefined ? (startAfter ?? '') : readToken(token);
  const { items, truncated } = takePage(walkObjects(bucket, listing, after), listing.limit);
  return xmlResponse(
    writeXml('ListBucketResult', {
      ...listingElements(bucket, listing, items, truncated),
      StartAfter: startAfter === undefined ? undefined : listing.encode(startAfter),
      ContinuationToken: token,
      KeyCount: items.length,
      NextContinuationToken: truncated ? writeToken(itemName(items.at(-1)!)) : undefined,
      Contents: describeObjects(bucket, listing, items),
    }),
  );
}

export async function listObjects(call: Call, services: Services): Promise<S3Response> {
  const { bucket, listing } = readListing(call, services, 's3:ListBucket');
  const marker = call.query.get('marker') ?? '';
  const { items, truncated } = takePage(walkObjects(bucket, listing, marker), listing.limit);
  const next = truncated && listing.delimiter !== '' ? listing.encode(itemName(items.at(-1)!)) : undefined;
  return xmlResponse(
    writeXml('ListBucketResult', {
      ...listingElements(bucket, listing, items, truncated),
      Marker: listing.encode(marker),
      NextMarker: next,
      Contents: describeObjects(bucket, listing, items),
    }),
  );
}

type VersionItem = { version: ObjectVersion; latest: boolean } | { common_prefix: string };

export async function listObjectVersions(call: Call, services: Services): Promise<S3Response> {
  const { bucket, listing } = readListing(call, services, 's3:ListBucketVersions');
  const keyMarker = call.query.get('key-marker') ?? '';
  const versionMarker = call.query.get('version-id-marker') || undefined;
  if (versionMarker !== undefined && keyMarker === '') {
    throw new S3Error('InvalidArgument', 'A version-id marker cannot be specified without a key marker.');
  }
  const { items, truncated } = takePage(walkVersions(bucket, listing, keyMarker, versionMarker), listing.limit);
  const last = truncated ? items.at(-1) : undefined;
  return xmlResponse(
    writeXml('ListVersionsResult', {
      ...listingElements(bucket, listing, items, truncated),
      KeyMarker: listing.encode(keyMarker),
      VersionIdMarker: versionMarker ?? '',
      NextKeyMarker: last && listing.encode('version' in last ? last.version.key : last.common_prefix),
      NextVersionIdMarker: last && 'version' in last ? last.version.version_id : undefined,
      Version: describeVersions(items, listing, 'object'),
      DeleteMarker: describeVersions(items, listing, 'marker'),
    }),
  );
}

function readListing(call: Call, services: Services, action: string): { bucket: Bucket; listing: ListingRequest } {
  call.record(action, undefined, listingConditions(call.query));
  return { bucket: services.buckets.get(call.target.bucket), listing: readListingRequest(call.query) };
}

/** The elements that all listings have. */
function listingElements(
  bucket: Bucket,
  listing: ListingRequest,
  items: readonly (WalkItem | VersionItem)[],
  truncated: boolean,
): { [name: string]: XmlContent } {
  return {
    Name: bucket.name,
    Prefix: listing.encode(listing.prefix),
    Delimiter: listing.delimiter === '' ? undefined : listing.encode(listing.delimiter),
    EncodingType: listing.encoding,
    MaxKeys: listing.limit,
    IsTruncated: truncated,
    CommonPrefixes: items.flatMap((item) =>
      'common_prefix' in item ? [{ Prefix: listing.encode(item.common_prefix) }] : [],
    ),
  };
}

function walkObjects(bucket: Bucket, listing: ListingRequest, after: string): Iterable<WalkItem> {
  const visible = (key: string) => bucket.current(key)?.kind === 'object';
  return walkKeys(bucket.versions.keys(), { ...listing, after, visible });
}

/** Yields all versions after the given version, or after the key if no version is given. */
function* walkVersions(
  bucket: Bucket,
  listing: ListingRequest,
  key: string,
  versionId: string | undefined,
): Generator<VersionItem> {
  if (versionId !== undefined) {
    const versions = bucket.versions.versions(key);
    const at = versions.findIndex((version) => version.version_id === versionId);
    if (at >= 0) for (const version of versions.slice(at + 1)) yield { version, latest: false };
  }
  for (const item of walkKeys(bucket.versions.keys(), { ...listing, after: key, visible: () => true })) {
    if ('common_prefix' in item) yield item;
    else {
      const versions = bucket.versions.versions(item.key);
      for (const version of versions) yield { version, latest: version === versions[0] };
    }
  }
}

function describeObjects(bucket: Bucket, listing: ListingRequest, items: readonly WalkItem[]): XmlContent[] {
  const objects = items.map((item) => ('key' in item ? bucket.current(item.key) : undefined));
  return objects.flatMap((object) => (object ? [describeVersion(object, listing)] : []));
}

function describeVersions(
  items: readonly VersionItem[],
  listing: ListingRequest,
  kind: ObjectVersion['kind'],
): XmlContent[] {
  return items.flatMap((item) => {
    if (!('version' in item) || item.version.kind !== kind) return [];
    const { version, latest } = item;
    return [{ ...describeVersion(version, listing), VersionId: version.version_id, IsLatest: latest }];
  });
}

function describeVersion(version: ObjectVersion, { encode }: ListingRequest): { [name: string]: XmlContent } {
  const identity = { Key: encode(version.key), LastModified: xmlTime(version.last_modified) };
  if (version.kind === 'marker') return identity;
  return {
    ...identity,
    ETag: `"${version.etag}"`,
    ChecksumAlgorithm: version.checksum.algorithm,
    ChecksumType: version.checksum.type,
    Size: version.size,
    StorageClass: 'STANDARD',
  };
}

function itemName(item: WalkItem): string {
  return 'key' in item ? item.key : item.common_prefix;
}

function writeToken(name: string): string {
  return Buffer.from(name).toString('base64');
}

function readToken(token: string): string {
  const name = Buffer.from(token, 'base64').toString();
  if (token !== '' && writeToken(name) === token) return name;
  throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
}

/** The parameters that all listings have. */
interface ListingRequest {
  prefix: string;
  delimiter: string;
  limit: number;
  encoding: 'url' | undefined;
  /** Encodes a key or prefix by `encoding-type`. */
  encode: (text: string) => string;
}

/** The IAM condition keys of a listing, for the parameters that were sent. */
function listingConditions(query: Call['query']): Record<string, string> {
  const parameters = ['prefix', 'delimiter', 'max-keys'].map((name) => [`s3:${name}`, query.get(name)] as const);
  return Object.fromEntries(parameters.filter((one): one is [`s3:${string}`, string] => one[1] !== undefined));
}

const maxItems = 1000;

function readListingRequest(query: Call['query']): ListingRequest {
  const encoding = query.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url') {
    throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request');
  }
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    limit: readLimit(query),
    encoding,
    encode: encoding === 'url' ? uriEncodePath : (text) => text,
  };
}

/** At most 1,000, even if the request asks for more. */
function readLimit(query: Call['query']): number {
  const text = query.get('max-keys') ?? String(maxItems);
  if (/^\d{1,10}$/.test(text)) return Math.min(Number(text), maxItems);
  throw new S3Error('InvalidArgument', 'Provided max-keys not an integer or within integer range');
}

/** Takes the first `limit` items. `truncated` is true if there are more. */
function takePage<T>(items: Iterable<T>, limit: number): { items: T[]; truncated: boolean } {
  const first: T[] = [];
  for (const item of items) {
    if (first.length >= limit) return { items: first, truncated: limit > 0 };
    first.push(item);
  }
  return { items: first, truncated: false };
}

interface WalkOptions {
  prefix: string;
  /**
   * Keys with the same text up to the first delimiter after the prefix are grouped into a common prefix. @default ''
   * does not group
   */
  delimiter: string;
  /** Lists only keys and common prefixes after this one. */
  after: string;
  /** Whether a key is listed. */
  visible: (key: string) => boolean;
}

/** A key, or the common prefix of several keys. */
type WalkItem = { key: string } | { common_prefix: string };

/** Yields keys and common prefixes in the order of S3's listings. */
function* walkKeys(keys: readonly string[], options: WalkOptions): Generator<WalkItem> {
  const { prefix, delimiter, after } = options;
  let rolledUp: string | undefined;
  for (let at = lowerBound(keys, compareBytes(prefix, after) > 0 ? prefix : after); at < keys.length; at++) {
    const key = keys[at]!;
    if (!key.startsWith(prefix)) return;
    if (key === after || (rolledUp !== undefined && key.startsWith(rolledUp))) continue;
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const commonPrefix = end < 0 ? undefined : key.slice(0, end + delimiter.length);
    if (commonPrefix !== undefined && commonPrefix === after) {
      rolledUp = commonPrefix;
      continue;
    }
    if (!options.visible(key)) continue;
    if (commonPrefix === undefined) {
      yield { key };
    } else {
      rolledUp = commonPrefix;
      yield { common_prefix: commonPrefix };
    }
  }
}
