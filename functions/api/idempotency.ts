import { randomUUID } from 'node:crypto';
import { deterministicId, sha256Hex } from '../video/keys.ts';
import { canonicalJson } from './canonical-json.ts';
import { type ApiRequest, type Caller, headerValues } from './http.ts';
import { Problem } from './problem.ts';

/** Which video a request means. `repeatable`: the same key of the same owner always means this one (invariant 2). */
export interface Identity {
  id: string;
  repeatable: boolean;
}

/**
 * The id of the video that a request makes: determined by owner and Idempotency-Key, or a new one where there is no key.
 * @throws Problem 400 for a key that can't be used
 */
export function identify(request: ApiRequest, { owner }: Caller): Identity {
  const [key, ...others] = headerValues(request, 'idempotency-key');
  if (key === undefined) return { id: randomUUID(), repeatable: false };
  if (others.length === 0 && /^[\x21-\x7e]{1,255}$/.test(key)) {
    return { id: deterministicId('api', owner, key), repeatable: true };
  }
  throw new Problem(400, {
    code: 'invalid_idempotency_key',
    title: 'The Idempotency-Key can not be used.',
    detail: 'Send the header once, with 1 to 255 visible ASCII characters without spaces, such as a UUID.',
  });
}

/**
 * What tells two bodies apart: their JSON, whatever the order of the fields. Of the body as it came, so that a later version
 * with other defaults still knows it again.
 * @param body as `readJson` gave it: never nested deeply
 */
export const fingerprint = (body: unknown): string => sha256Hex(canonicalJson(body));

/** The 409 for a key that belongs to another request. */
export const idempotencyConflict = () =>
  new Problem(409, {
    code: 'idempotency_conflict',
    title: 'This Idempotency-Key was used with another body.',
    detail: 'Repeat the first request exactly to get its video, or use a new key for a new one.',
  });
