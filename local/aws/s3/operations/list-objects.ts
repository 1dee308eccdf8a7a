import { S3Error } from '../errors.ts';
import { writeXml, type XmlContent } from '../http/xml.ts';
import { type WalkItem, walkKeys } from '../objects/walk-keys.ts';
import type { Bucket } from '../store/bucket.ts';
import {
  conditionsOf,
  echo,
  firstOf,
  type ListingRequest,
  listingParameters,
  objectContent,
  readListingRequest,
} from './listing.ts';
import { type Operation, xmlAnswer } from './operation.ts';

export const listObjectsV2: Operation = {
  name: 'ListObjectsV2',
  method: 'GET',
  target: 'bucket',
  selectors: ['list-type'],
  parameters: [...listingParameters, 'continuation-token', 'start-after'],
  run: async (call, services) => {
    call.record('s3:ListBucket', undefined, conditionsOf(call.query));
    const bucket = services.buckets.get(call.target.bucket);
    if (call.query.get('list-type') !== '2') {
      throw new S3Error('InvalidArgument', 'Invalid List Type specified in Request');
    }
    const listing = readListingRequest(call.query);
    const token = call.query.get('continuation-token');
    const startAfter = call.query.get('start-after');
    const after = token === undefined ? (startAfter ?? '') : readToken(token);
    const { items, truncated } = firstOf(walk(bucket, listing, after), listing.limit);
    return xmlAnswer(
      writeXml('ListBucketResult', {
        Name: bucket.name,
        ...echo(listing),
        StartAfter: startAfter === undefined ? undefined : listing.encode(startAfter),
        ContinuationToken: token,
        KeyCount: items.length,
        MaxKeys: listing.limit,
        IsTruncated: truncated,
        NextContinuationToken: truncated ? writeToken(nameOf(items.at(-1)!)) : undefined,
        ...contents(bucket, listing, items),
      }),
    );
  },
};

export const listObjects: Operation = {
  name: 'ListObjects',
  method: 'GET',
  target: 'bucket',
  parameters: [...listingParameters, 'marker'],
  run: async (call, services) => {
    call.record('s3:ListBucket', undefined, conditionsOf(call.query));
    const bucket = services.buckets.get(call.target.bucket);
    const listing = readListingRequest(call.query);
    const marker = call.query.get('marker') ?? '';
    const { items, truncated } = firstOf(walk(bucket, listing, marker), listing.limit);
    const next = truncated && listing.delimiter !== '' ? listing.encode(nameOf(items.at(-1)!)) : undefined;
    return xmlAnswer(
      writeXml('ListBucketResult', {
        Name: bucket.name,
        ...echo(listing),
        Marker: listing.encode(marker),
        NextMarker: next,
        MaxKeys: listing.limit,
        IsTruncated: truncated,
        ...contents(bucket, listing, items),
      }),
    );
  },
};

function walk(bucket: Bucket, listing: ListingRequest, after: string): Iterable<WalkItem> {
  const visible = (key: string) => bucket.current(key)?.kind === 'object';
  return walkKeys(bucket.versions.keys(), { ...listing, after, visible });
}

function contents(bucket: Bucket, listing: ListingRequest, items: WalkItem[]) {
  const objects: XmlContent[] = [];
  const prefixes: XmlContent[] = [];
  for (const item of items) {
    if ('common_prefix' in item) {
      prefixes.push({ Prefix: listing.encode(item.common_prefix) });
      continue;
    }
    const object = bucket.current(item.key);
    if (object?.kind !== 'object') continue;
    objects.push(objectContent(object, listing.encode));
  }
  return { Contents: objects, CommonPrefixes: prefixes };
}

function nameOf(item: WalkItem): string {
  return 'key' in item ? item.key : item.common_prefix;
}

function writeToken(name: string): string {
  return Buffer.from(name).toString('base64');
}

function readToken(token: string): string {
  const name = Buffer.from(token, 'base64').toString();
  if (token !== '' && writeToken(name) === token) return name;
  throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect', {
    elements: { ArgumentName: 'continuation-token' },
  });
}
