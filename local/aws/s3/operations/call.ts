import type { SignatureServices } from '../../signature/verify.ts';
import type { Answer, Headers, ReceivedRequest } from '../http/messages.ts';
import type { Buckets } from '../store/buckets.ts';
import type { ObjectEvent } from '../store/records.ts';

/** One authenticated request, as an operation sees it. */
export interface Call extends ReceivedRequest {
  /** The decoded query without what belongs to the signature. */
  query: ReadonlyMap<string, string>;
  /** The headers, and what a presigned URL carries in their place. */
  headers: Headers;
  payload: Payload;
  access_key_id: string;
  /** Notes an IAM action that this call needs, on its own target or on another, and what its conditions may ask for. */
  record: (action: string, resource?: { bucket: string; key?: string }, conditions?: Record<string, string>) => void;
}

/** What the signature says about the body, and so how the body is to be read and checked. */
export type Payload = { kind: 'unsigned' } | { kind: 'chunked' } | { kind: 'hashed'; sha256: string };

/** What operations may need; each asks for the part it uses. */
export interface Services {
  buckets: Buckets;
  /** Milliseconds. */
  now: () => number;
  /** Settles when the event is journaled; the request is answered after that. */
  onObjectEvent: (event: ObjectEvent) => Promise<void>;
}

/** A call as far as IAM is concerned. */
export interface RecordedCall {
  access_key_id: string | undefined;
  /** `s3:PutObject`, … */
  action: string;
  /** Empty for what concerns no bucket, `s3:ListAllMyBuckets`. */
  bucket: string;
  key?: string;
  /** What a policy's condition may ask for, such as `s3:prefix`. */
  conditions?: Record<string, string>;
}

export interface HandlerServices extends Services, SignatureServices {
  recordCall: (call: RecordedCall) => void;
}

export function xmlAnswer(body: string, headers: Answer['headers'] = {}): Answer {
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body };
}

export function etagText(etag: string): string {
  return `"${etag}"`;
}

export function xmlTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
