import { uriEncodePath } from '../../signature/canonical.ts';
import { S3Error } from '../errors.ts';
import { compareBytes, lowerBound } from '../store/version-index.ts';
import type { Call } from './call.ts';

/** What all listings ask for. */
export interface ListingRequest {
  prefix: string;
  delimiter: string;
  limit: number;
  encoding: 'url' | undefined;
  /** Writes a key or prefix as `encoding-type` wants it. */
  encode: (text: string) => string;
}

/** What a policy may ask of a listing: the parameters that were sent, by IAM's names for them. */
export function conditionsOf(query: Call['query']): Record<string, string> {
  const sent = ['prefix', 'delimiter', 'max-keys'].map((name) => [`s3:${name}`, query.get(name)] as const);
  return Object.fromEntries(sent.filter((one): one is [`s3:${string}`, string] => one[1] !== undefined));
}

const mostItems = 1000;

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

/** At most 1,000, whatever the request says. */
function readLimit(query: Call['query']): number {
  const text = query.get('max-keys') ?? String(mostItems);
  if (/^\d{1,10}$/.test(text)) return Math.min(Number(text), mostItems);
  throw new S3Error('InvalidArgument', 'Provided max-keys not an integer or within integer range');
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

interface WalkOptions {
  prefix: string;
  /** Keys that share what precedes its first occurrence after the prefix are rolled up into one. @default '' rolls up none */
  delimiter: string;
  /** Only what comes after this key or rolled-up prefix. */
  after: string;
  /** Whether a key is there to be listed. */
  visible: (key: string) => boolean;
}

/** A key, or the common prefix of several. */
export type WalkItem = { key: string } | { common_prefix: string };

/** Walks keys in order as S3's listings do. */
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
