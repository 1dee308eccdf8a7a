import type { Call } from '../call.ts';
import type { Answer } from '../http/answer.ts';
import type { Services } from '../services.ts';

/** One operation of the S3 API: which requests are it, what of a request it understands, and what it does. */
export interface Operation {
  /** As in the API reference. */
  name: string;
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** What the request's path names. */
  target: 'service' | 'bucket' | 'object';
  /** Parameters that make a request this operation. @default none */
  selectors?: readonly string[];
  /** A header that makes a request this operation. @default none */
  selectorHeader?: string;
  /** Further parameters it understands; `*` at the end stands for any rest. Any other is refused with 501. @default none */
  parameters?: readonly string[];
  /** `x-amz-` and `if-` headers it understands, likewise. @default none */
  headers?: readonly string[];
  run: (call: Call, services: Services) => Promise<Answer>;
}

/** Headers that come with a body: its encoding and what it is checked by. */
export const bodyHeaders = [
  'x-amz-checksum-*',
  'x-amz-decoded-content-length',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-trailer',
];

export function xmlAnswer(body: string, headers: Answer['headers'] = {}): Answer {
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body };
}

export function etagText(etag: string): string {
  return `"${etag}"`;
}

export function xmlTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
