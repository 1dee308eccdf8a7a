import { randomUUID } from 'node:crypto';
import { canonicalJson, isJsonObject } from '../shared/json-body.ts';
import { ProblemError } from '../shared/problem.ts';
import { deterministicId, sha256Hex } from '../video/keys.ts';
import { withMediaList } from '../wan/media.ts';

/** The id of a request's video. `repeatable`: the same key of the same owner always gives this id (invariant 2). */
export interface Identity {
  id: string;
  repeatable: boolean;
}

/**
 * Returns the id of the video that a request creates: derived from owner and Idempotency-Key, or random without a key.
 * @param keys the values of the request's `Idempotency-Key` headers
 * @param index of the video, for a request that creates several
 * @throws ProblemError 400 for an invalid key, and for several
 */
export function identityOf(owner: string, keys: readonly string[], index = 0): Identity {
  const [key, ...others] = keys;
  if (key === undefined) return { id: randomUUID(), repeatable: false };
  if (others.length === 0 && /^[\x21-\x7e]{1,255}$/.test(key)) {
    return { id: deterministicId('api', owner, key, ...(index > 0 ? [String(index)] : [])), repeatable: true };
  }
  throw new ProblemError(400, {
    code: 'invalid_idempotency_key',
    title: 'The Idempotency-Key is invalid.',
    detail: 'Send the header once, with 1 to 255 visible ASCII characters without spaces, such as a UUID.',
  });
}

/**
 * Returns the SHA-256 of a body's canonical JSON, independent of the order of fields and of the form in which media are given.
 * Computed from the body as sent, so that changed defaults do not change the fingerprint.
 * @param body from `readJson`, which limits the nesting
 */
export const fingerprint = (body: unknown): string => sha256Hex(canonicalJson(withMediaList(body)));

/**
 * Returns a line of a manifest without its webhook, which is not part of its identity: a changed webhook in the same folder must not pay
 * for every video again.
 */
export function withoutWebhook(body: unknown): unknown {
  if (!isJsonObject(body)) return body;
  const { webhook_url: _url, webhook_events: _events, ...request } = body;
  return request;
}

/** The 409 for a key that was used with another body. */
export const idempotencyConflict = () =>
  new ProblemError(409, {
    code: 'idempotency_conflict',
    title: 'This Idempotency-Key was used with another body.',
    detail: 'Repeat the first request exactly to get its video, or use a new key for a new video.',
  });
