import { type AccountRefusalReason, type Meaning, meaningOf, type RefusalReason } from '../failures.ts';
import { redact } from '../redact.ts';
import { errorResponse } from './response-schemas.ts';

type ErrorDetails = {
  /** Wan's error code, or `http_<status>` for a response without one. */
  code: string;
  /** Wan's message without URLs, keys and prompts; may be empty. */
  message: string;
  request_id?: string;
  billed: false;
};

/** Wan refused this request permanently. */
export type RequestRefused = { outcome: 'refused'; reason: RefusalReason; retryable: false } & ErrorDetails;
/** Too many requests: the same request can succeed later. */
export type Throttled = { outcome: 'throttled'; retryable: true } & ErrorDetails;
/** Wan is unavailable or unreachable; no task was created. `cause` is a short name, such as `ECONNREFUSED`. */
export type Unavailable = { outcome: 'unavailable'; cause: string; retryable: true } & Partial<ErrorDetails> & {
    billed: false;
  };
/** The account or configuration is refused: the model queue is paused and an alarm rings; the video is not at fault. */
export type AccountRefused = {
  outcome: 'account_refused';
  reason: AccountRefusalReason;
  retryable: true;
} & ErrorDetails;

type WanRejection = RequestRefused | Throttled | Unavailable | AccountRefused;

/** Nothing was sent, or the response to a query was lost. */
export function unavailable(cause: string): Unavailable {
  return { outcome: 'unavailable', cause, retryable: true, billed: false };
}

/** A refusal that firstframe finds itself, before anything is sent. */
export function accountRefusal(reason: AccountRefusalReason, message: string): AccountRefused {
  return { outcome: 'account_refused', reason, code: reason, message, retryable: true, billed: false };
}

/**
 * Classifies a response that is not a success: by Wan's error code if it has one, otherwise by the HTTP status.
 * @param secrets texts to remove from the message, such as the prompt
 * @returns undefined for a success, and for a gateway's error (5xx or 408 without Wan's error shape), which does not prove that the request
 * was not processed
 */
export function rejectionOf(
  { status, body }: { status: number; body: unknown },
  secrets: readonly (string | undefined)[] = [],
): WanRejection | undefined {
  if (status >= 200 && status < 300) return undefined;
  const parsed = errorResponse.safeParse(body);
  const error = parsed.success ? parsed.data : undefined;
  const meaning = error
    ? (meaningOf(error.code, error.message) ?? meaningOfStatus(status))
    : meaningOfBareStatus(status);
  if (!meaning) return undefined;
  const details: ErrorDetails = {
    code: error ? redact(error.code, secrets) : `http_${status}`,
    message: redact(error?.message ?? '', secrets),
    ...(error?.request_id ? { request_id: redact(error.request_id) } : {}),
    billed: false,
  };
  switch (meaning.kind) {
    case 'refused':
      return { outcome: 'refused', reason: meaning.reason, retryable: false, ...details };
    case 'throttled':
      return { outcome: 'throttled', retryable: true, ...details };
    case 'account_refused':
      return { outcome: 'account_refused', reason: meaning.reason, retryable: true, ...details };
    case 'unavailable':
      return { outcome: 'unavailable', cause: details.code, retryable: true, ...details };
  }
}

/** An error of Wan with an undocumented code. Failed calls create no task, so the status is enough. */
function meaningOfStatus(status: number): Meaning {
  if (status >= 500) return { kind: 'unavailable', failure: 'service_unavailable' };
  return meaningOfBareStatus(status) ?? { kind: 'refused', reason: 'other', failure: 'invalid_request' };
}

/** A response without Wan's error shape comes from a proxy or gateway. */
function meaningOfBareStatus(status: number): Meaning | undefined {
  const accountRefused = (reason: AccountRefusalReason): Meaning => ({
    kind: 'account_refused',
    reason,
    failure: 'account_on_hold',
  });
  if (status === 401) return accountRefused('invalid_key');
  if (status === 403) return accountRefused('access_denied');
  if (status === 429) return { kind: 'throttled', failure: 'rate_limited' };
  // A redirect or an unknown path: the base URL is wrong.
  if (status < 400 || status === 404 || status === 405) return accountRefused('endpoint');
  if (status === 408 || status >= 500) return undefined;
  return { kind: 'refused', reason: status === 413 ? 'input' : 'other', failure: 'invalid_request' };
}
