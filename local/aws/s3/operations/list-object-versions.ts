import { S3Error } from '../errors.ts';
import { writeXml, type XmlContent } from '../http/xml.ts';
import { walkKeys } from '../objects/walk-keys.ts';
import type { Bucket } from '../store/bucket.ts';
import type { ObjectVersion } from '../store/records.ts';
import {
  conditionsOf,
  echo,
  firstOf,
  type ListingRequest,
  listingParameters,
  objectContent,
  readListingRequest,
} from './listing.ts';
import { type Operation, xmlAnswer, xmlTime } from './operation.ts';

type Item = { version: ObjectVersion; latest: boolean } | { common_prefix: string };

export const listObjectVersions: Operation = {
  name: 'ListObjectVersions',
  method: 'GET',
  target: 'bucket',
  selectors: ['versions'],
  parameters: [...listingParameters, 'key-marker', 'version-id-marker'],
  run: async (call, services) => {
    call.record('s3:ListBucketVersions', undefined, conditionsOf(call.query));
    const bucket = services.buckets.get(call.target.bucket);
    const listing = readListingRequest(call.query);
    const keyMarker = call.query.get('key-marker') ?? '';
    const versionMarker = call.query.get('version-id-marker') || undefined;
    if (versionMarker !== undefined && keyMarker === '') {
      throw new S3Error('InvalidArgument', 'A version-id marker cannot be specified without a key marker.');
    }
    const { items, truncated } = firstOf(walk(bucket, listing, keyMarker, versionMarker), listing.limit);
    return xmlAnswer(
      writeXml('ListVersionsResult', {
        Name: bucket.name,
        ...echo(listing),
        KeyMarker: listing.encode(keyMarker),
        VersionIdMarker: versionMarker ?? '',
        MaxKeys: listing.limit,
        IsTruncated: truncated,
        ...(truncated ? nextMarkers(items.at(-1)!, listing) : {}),
        ...contents(items, listing),
      }),
    );
  },
};

/** All versions after the one that the markers name; without a version marker, all after the key. */
function* walk(bucket: Bucket, listing: ListingRequest, key: string, versionId: string | undefined): Generator<Item> {
  if (versionId !== undefined) {
    const versions = bucket.versions.versions(key);
    const at = versions.findIndex((version) => version.version_id === versionId);
    if (at >= 0) for (const version of versions.slice(at + 1)) yield { version, latest: false };
  }
  for (const item of walkKeys(bucket.versions.keys(), { ...listing, after: key, visible: () => true })) {
    if ('common_prefix' in item) {
      yield item;
      continue;
    }
    const versions = bucket.versions.versions(item.key);
    for (const version of versions) yield { version, latest: version === versions[0] };
  }
}

function nextMarkers(last: Item, listing: ListingRequest) {
  if ('common_prefix' in last) return { NextKeyMarker: listing.encode(last.common_prefix) };
  return { NextKeyMarker: listing.encode(last.version.key), NextVersionIdMarker: last.version.version_id };
}

function contents(items: Item[], listing: ListingRequest) {
  const versions: XmlContent[] = [];
  const markers: XmlContent[] = [];
  const prefixes: XmlContent[] = [];
  for (const item of items) {
    if ('common_prefix' in item) {
      prefixes.push({ Prefix: listing.encode(item.common_prefix) });
      continue;
    }
    const { version, latest } = item;
    const identity = { VersionId: version.version_id, IsLatest: latest };
    if (version.kind === 'object') {
      versions.push({ ...objectContent(version, listing.encode), ...identity });
    } else {
      markers.push({
        Key: listing.encode(version.key),
        LastModified: xmlTime(version.last_modified),
        ...identity,
      });
    }
  }
  return { Version: versions, DeleteMarker: markers, CommonPrefixes: prefixes };
}
