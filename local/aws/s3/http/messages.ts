import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { S3Error } from '../errors.ts';

export interface S3Response {
  status: number;
  headers?: Record<string, string | undefined>;
  /** A document, or a stream with its length in `Content-Length`. @default empty */
  body?: string | Readable;
}

/**
 * Sends a response. An error in the stream destroys the connection, so that the client notices a truncated body.
 */
export async function sendResponse(outgoing: ServerResponse, response: S3Response, isHead: boolean): Promise<void> {
  outgoing.statusCode = response.status;
  for (const [name, value] of Object.entries(response.headers ?? {})) {
    if (value !== undefined) outgoing.setHeader(name, value);
  }
  const { body = '' } = response;
  if (typeof body === 'string') {
    const hasBody = response.status !== 204 && response.status !== 304;
    if (hasBody && !outgoing.hasHeader('content-length')) {
      outgoing.setHeader('content-length', Buffer.byteLength(body));
    }
    outgoing.end(isHead || !hasBody ? undefined : body);
    return;
  }
  if (isHead) {
    body.destroy();
    outgoing.end();
    return;
  }
  // The client has disconnected or the file cannot be read. The pipeline has destroyed the connection.
  await pipeline(body, outgoing).catch(() => {});
}

/** Request headers by lower-case name. The values of a repeated header are joined by a comma. */
export type Headers = ReadonlyMap<string, string>;

/** Encodes text for a header: UTF-8 bytes as a Latin-1 string, line breaks as spaces. */
export function encodeHeaderText(text: string): string {
  return Buffer.from(text.replace(/[\r\n]+/g, ' ')).toString('latin1');
}

/** In bytes of UTF-8. */
const maxKeyBytes = 1024;

/** A request before authentication. */
export interface ReceivedRequest {
  method: string;
  target: Target;
  headers: Headers;
  /** May stay unread or partly read; the connection can still carry the response. */
  body: AsyncIterable<Buffer>;
}

/** The bucket and key of a request. */
export interface Target {
  /** Empty for a request to the service. */
  bucket: string;
  /** Empty for a request to a bucket or the service. */
  key: string;
  /** The decoded path as sent, for the signature. */
  path: string;
  /** The decoded parameters as sent, including duplicates, for the signature. */
  parameters: readonly (readonly [name: string, value: string])[];
}

/**
 * Reads bucket and key from the raw URL: path-style (`/bucket/key`), or virtual-hosted-style for `bucket.localhost` and
 * `bucket.s3.localhost`. The path is not normalized: `a/../b` and `//a` are valid keys.
 */
export function readTarget(url: string, host: string | undefined): Target {
  const queryStart = url.indexOf('?');
  const path = uriDecode(queryStart < 0 ? url : url.slice(0, queryStart));
  const parameters = queryStart < 0 ? [] : readParameters(url.slice(queryStart + 1));
  const bucketFromHost = host === undefined ? undefined : readBucketFromHost(host);
  const rest = path.slice(1);
  if (bucketFromHost !== undefined) return { bucket: bucketFromHost, key: checkKey(rest), path, parameters };
  const slash = rest.indexOf('/');
  if (slash < 0) return { bucket: rest, key: '', path, parameters };
  return { bucket: rest.slice(0, slash), key: checkKey(rest.slice(slash + 1)), path, parameters };
}

/** @throws `KeyTooLongError` over 1,024 bytes of UTF-8 */
export function checkKey(key: string): string {
  const size = Buffer.byteLength(key);
  if (size <= maxKeyBytes) return key;
  throw new S3Error('KeyTooLongError', `Your key is too long: ${size} of at most ${maxKeyBytes} bytes.`);
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

function readBucketFromHost(host: string): string | undefined {
  return /^([a-z0-9][a-z0-9.-]+?[a-z0-9])(?:\.s3)?\.localhost(?::\d+)?$/.exec(host.toLowerCase())?.[1];
}

/** Decodes percent-encoded UTF-8. S3 reads a `+` as a space, even in paths; a plus sign must be sent as `%2B`. */
export function uriDecode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new S3Error('InvalidURI', 'The URI contains a percent-encoding that is not UTF-8.');
  }
}
