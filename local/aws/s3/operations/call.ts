import type { SignatureServices } from '../../signature/verify.ts';
import type { Headers, ReceivedRequest, S3Response } from '../http/messages.ts';
import type { Buckets } from '../store/buckets.ts';
import type { ObjectEvent } from '../store/records.ts';

/** An authenticated request. */
export interface Call extends ReceivedRequest {
  /** The decoded query without the signature's parameters. */
  query: ReadonlyMap<string, string>;
  /** The headers, including those that a presigned URL carries as parameters. */
  headers: Headers;
  payload: Payload;
  access_key_id: string;
  /** Records an IAM action that this call needs, by default on its own target, with optional condition keys. */
  record: (action: string, resource?: { bucket: string; key?: string }, conditions?: Record<string, string>) => void;
}

/** How the body must be read and verified, from the signature. */
export type Payload = { kind: 'unsigned' } | { kind: 'chunked' } | { kind: 'hashed'; sha256: string };

/** The services that operations use. */
export interface Services {
  buckets: Buckets;
  /** Milliseconds. */
  now: () => number;
  /** Settles when the event is on disk. The response is sent after that. */
  onObjectEvent: (event: ObjectEvent) => Promise<void>;
}

/** An IAM action of a call. */
export interface RecordedCall {
  access_key_id: string | undefined;
  /** `s3:PutObject`, … */
  action: string;
  /** Empty for an action without a bucket, `s3:ListAllMyBuckets`. */
  bucket: string;
  key?: string;
  /** Condition keys such as `s3:prefix`. */
  conditions?: Record<string, string>;
}

export interface HandlerServices extends Services, SignatureServices {
  recordCall: (call: RecordedCall) => void;
}

export function xmlResponse(body: string, headers: S3Response['headers'] = {}): S3Response {
  return { status: 200, headers: { 'content-type': 'application/xml', ...headers }, body };
}

export function xmlTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
