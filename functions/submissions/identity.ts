import { canonicalJson } from '../shared/json-body.ts';
import { ProblemError } from '../shared/problem.ts';
import { sha256Hex } from '../video/keys.ts';

/** The id of a request's video. `repeatable`: the same key of the same owner always gives this id (invariant 2). */
export interface Identity {
  id: string;
  repeatable: boolean;
}

/**
 * Returns the SHA-256 of a body's canonical JSON, independent of the order of fields. Computed from the body as sent, so that
 * changed defaults do not change the fingerprint.
 * @param body from `readJson`, which limits the nesting
 */
export const fingerprint = (body: unknown): string => sha256Hex(canonicalJson(body));

/** The 409 for a key that was used with another body. */
export const idempotencyConflict = () =>
  new ProblemError(409, {
    code: 'idempotency_conflict',
    title: 'This Idempotency-Key was used with another body.',
    detail: 'Repeat the first request exactly to get its video, or use a new key for a new video.',
  });
