import { uriEncodePath } from '../../signature/canonical.ts';
import { S3Error } from '../errors.ts';
import { compareBytes, lowerBound } from '../store/version-index.ts';
import type { Call } from './call.ts';

/** The parameters that all listings have. */
export interface ListingRequest {
  prefix: string;
  delimiter: string;
  limit: number;
  encoding: 'url' | undefined;
  /** Encodes a key or prefix by `encoding-type`. */
  encode: (text: string) => string;
}

/** The IAM condition keys of a listing, for the parameters that were sent. */
export function listingConditions(query: Call['query']): Record<string, string> {
  const parameters = ['prefix', 'delimiter', 'max-keys'].map((name) => [`s3:${name}`, query.get(name)] as const);
  return Object.fromEntries(parameters.filter((one): one is [`s3:${string}`, string] => one[1] !== undefined));
}

const maxItems = 1000;

export function readListingRequest(query: Call['query']): ListingRequest {
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

/** Takes the first `limit` items. `truncated` tells whether there are more. */
export function takePage<T>(items: Iterable<T>, limit: number): { items: T[]; truncated: boolean } {
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
export type WalkItem = { key: string } | { common_prefix: string };

/** Yields keys and common prefixes in the order of S3's listings. */
export function* walkKeys(keys: readonly string[], options: WalkOptions): Generator<WalkItem> {
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
