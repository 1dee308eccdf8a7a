import { uriEncodePath } from '../../signature/canonical.ts';
import type { Call } from '../call.ts';
import { S3Error } from '../errors.ts';
import type { XmlContent } from '../http/xml.ts';
import type { StoredObject } from '../store/records.ts';
import { etagText, xmlTime } from './operation.ts';

/** What all listings ask for. */
export interface ListingRequest {
  prefix: string;
  delimiter: string;
  limit: number;
  encoding: 'url' | undefined;
  /** Writes a key or prefix as `encoding-type` wants it. */
  encode: (text: string) => string;
}

export const listingParameters = ['prefix', 'delimiter', 'encoding-type', 'max-keys'];

/** What a policy may ask of a listing: the parameters that were sent, by IAM's names for them. */
export function conditionsOf(query: Call['query']): Record<string, string> {
  const sent = ['prefix', 'delimiter', 'max-keys'].map((name) => [`s3:${name}`, query.get(name)] as const);
  return Object.fromEntries(sent.filter((one): one is [`s3:${string}`, string] => one[1] !== undefined));
}

const mostItems = 1000;

export function readListingRequest(query: Call['query']): ListingRequest {
  const encoding = query.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url') {
    throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request', {
      elements: { ArgumentName: 'encoding-type', ArgumentValue: encoding },
    });
  }
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    limit: readLimit(query),
    encoding,
    encode: encoding === 'url' ? uriEncodePath : (text) => text,
  };
}

/** At most 1,000, whatever the request says. */
function readLimit(query: Call['query']): number {
  const text = query.get('max-keys') ?? String(mostItems);
  if (/^\d{1,10}$/.test(text)) return Math.min(Number(text), mostItems);
  throw new S3Error('InvalidArgument', 'Provided max-keys not an integer or within integer range', {
    elements: { ArgumentName: 'max-keys', ArgumentValue: text },
  });
}

/** The first `limit` items, and whether more would follow. */
export function firstOf<T>(items: Iterable<T>, limit: number): { items: T[]; truncated: boolean } {
  const first: T[] = [];
  for (const item of items) {
    if (first.length >= limit) return { items: first, truncated: limit > 0 };
    first.push(item);
  }
  return { items: first, truncated: false };
}

export function objectContent(object: StoredObject, encode: ListingRequest['encode']): { [name: string]: XmlContent } {
  return {
    Key: encode(object.key),
    LastModified: xmlTime(object.last_modified),
    ETag: etagText(object.etag),
    ChecksumAlgorithm: object.checksum.algorithm,
    ChecksumType: object.checksum.type,
    Size: object.size,
    StorageClass: 'STANDARD',
  };
}

/** `delimiter` and `prefix` of a listing's answer. */
export function echo(listing: ListingRequest): { [name: string]: XmlContent } {
  return {
    Prefix: listing.encode(listing.prefix),
    Delimiter: listing.delimiter === '' ? undefined : listing.encode(listing.delimiter),
    EncodingType: listing.encoding,
  };
}
