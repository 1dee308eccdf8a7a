import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { S3Error } from '../errors.ts';

export interface Answer {
  status: number;
  headers?: Record<string, string | undefined>;
  /** A document, or a stream whose length is said in `Content-Length`. @default empty */
  body?: string | Readable;
}

/** Sends an answer. A stream that breaks midway destroys the connection: a short body must not look whole. */
export async function sendAnswer(response: ServerResponse, answer: Answer, bodyless: boolean): Promise<void> {
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    if (value !== undefined) response.setHeader(name, value);
  }
  const { body = '' } = answer;
  if (typeof body === 'string') {
    const mayHaveBody = answer.status !== 204 && answer.status !== 304;
    if (mayHaveBody && !response.hasHeader('content-length')) {
      response.setHeader('content-length', Buffer.byteLength(body));
    }
    response.end(bodyless || !mayHaveBody ? undefined : body);
    return;
  }
  if (bodyless) {
    body.destroy();
    response.end();
    return;
  }
  // The reader has gone or the file has failed: the pipeline has closed the connection, and nobody is left to tell.
  await pipeline(body, response).catch(() => {});
}

/** Request headers by lower-case name; values of a repeated header are joined by a comma. */
export type Headers = ReadonlyMap<string, string>;

/** Text as a header can carry it: UTF-8 bytes in Node's Latin-1 strings, line breaks as spaces. */
export function headerText(text: string): string {
  return Buffer.from(text.replace(/[\r\n]+/g, ' ')).toString('latin1');
}

/** Longest key, in bytes of UTF-8. */
const longestKey = 1024;

/** A request before its caller is known. */
export interface ReceivedRequest {
  method: string;
  target: Target;
  headers: Headers;
  /** May be left unread or half-read; the connection stays usable for the answer. */
  body: AsyncIterable<Buffer>;
}

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
  throw new S3Error('KeyTooLongError', `Your key is too long: ${size} of at most ${longestKey} bytes.`);
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
