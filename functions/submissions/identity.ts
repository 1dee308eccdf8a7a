import { canonicalJson } from '../shared/json-body.ts';
import { ProblemError } from '../shared/problem.ts';
import { sha256Hex } from '../video/keys.ts';

/** Which video a request means. `repeatable`: the same key of the same owner always means this one (invariant 2). */
export interface Identity {
  id: string;
  repeatable: boolean;
}

/**
 * What tells two bodies apart: their JSON, whatever the order of the fields. Of the body as it came, so that a later version
 * with other defaults still knows it again.
 * @param body as `readJson` gave it: never nested deeply
 */
export const fingerprint = (body: unknown): string => sha256Hex(canonicalJson(body));

/** The 409 for a key that belongs to another request. */
export const idempotencyConflict = () =>
  new ProblemError(409, {
    code: 'idempotency_conflict',
    title: 'This Idempotency-Key was used with another body.',
    detail: 'Repeat the first request exactly to get its video, or use a new key for a new one.',
  });
