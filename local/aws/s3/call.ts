import type { Payload } from './authenticate.ts';
import type { Headers } from './http/headers.ts';
import type { Target } from './http/target.ts';

/** One authenticated request, as an operation sees it. */
export interface Call {
  method: string;
  target: Target;
  /** The decoded query without what belongs to the signature. */
  query: ReadonlyMap<string, string>;
  /** The headers, and what a presigned URL carries in their place. */
  headers: Headers;
  /** May be left unread or half-read; the connection stays usable for the answer. */
  body: AsyncIterable<Buffer>;
  payload: Payload;
  access_key_id: string;
  /** Notes an IAM action that this call needs, on its own target or on another, and what its conditions may ask for. */
  record: (action: string, resource?: { bucket: string; key?: string }, conditions?: Record<string, string>) => void;
}
