import { S3Error } from '../errors.ts';

/** Longest key, in bytes of UTF-8. */
const longestKey = 1024;

/** What a request addresses. */
export interface Target {
  /** Empty when the request addresses the service itself. */
  bucket: string;
  /** Empty when the request addresses the bucket itself. */
  key: string;
  /** The decoded path as it was sent, for the signature. */
  path: string;
  /** The decoded parameters as they were sent, duplicates included, for the signature. */
  parameters: readonly (readonly [name: string, value: string])[];
}

/**
 * Reads bucket and key from the raw URL: path-style (`/bucket/key`), or host-style for `bucket.localhost` and
 * `bucket.s3.localhost`. The path is never normalised: `a/../b` and `//a` are keys like any other.
 */
export function readTarget(url: string, host: string | undefined): Target {
  const mark = url.indexOf('?');
  const path = uriDecode(mark < 0 ? url : url.slice(0, mark));
  const parameters = mark < 0 ? [] : readParameters(url.slice(mark + 1));
  const hostBucket = host === undefined ? undefined : bucketOfHost(host);
  const rest = path.slice(1);
  if (hostBucket !== undefined) return { bucket: hostBucket, key: checkKey(rest), path, parameters };
  const slash = rest.indexOf('/');
  if (slash < 0) return { bucket: rest, key: '', path, parameters };
  return { bucket: rest.slice(0, slash), key: checkKey(rest.slice(slash + 1)), path, parameters };
}

/** @throws `KeyTooLongError` over 1,024 bytes of UTF-8 */
export function checkKey(key: string): string {
  const size = Buffer.byteLength(key);
  if (size <= longestKey) return key;
  throw new S3Error('KeyTooLongError', 'Your key is too long', {
    elements: { Size: size, MaxSizeAllowed: longestKey },
  });
}

function readParameters(query: string): [string, string][] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 0) return [uriDecode(pair), ''];
      return [uriDecode(pair.slice(0, equals)), uriDecode(pair.slice(equals + 1))];
    });
}

function bucketOfHost(host: string): string | undefined {
  return /^([a-z0-9][a-z0-9.-]+?[a-z0-9])(?:\.s3)?\.localhost(?::\d+)?$/.exec(host.toLowerCase())?.[1];
}

/** Decodes percent-encoded UTF-8. S3 reads a bare `+` as a space, in paths as well: a plus sign must be sent as `%2B`. */
export function uriDecode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new S3Error('InvalidURI', 'The URI holds a percent-encoding that is not UTF-8.');
  }
}
