import { type AccountRefusalReason, type Meaning, meaningOf, type RefusalReason } from '../failures.ts';
import { redact } from '../redact.ts';
import { errorResponse } from './response-schemas.ts';

type ErrorDetails = {
  /** Wan's error code, or `http_<status>` for an answer without one. */
  code: string;
  /** Wan's words without addresses, keys and prompts; may be empty. */
  message: string;
  request_id?: string;
  billed: false;
};

/** Wan refused this request for good. */
export type RequestRefused = { outcome: 'refused'; reason: RefusalReason; retryable: false } & ErrorDetails;
/** Too many requests: the same one is good later. */
export type Throttled = { outcome: 'throttled'; retryable: true } & ErrorDetails;
/** Wan is out of order or out of reach; no task was made. `cause` is a short name, such as `ECONNREFUSED`. */
export type Unavailable = { outcome: 'unavailable'; cause: string; retryable: true } & Partial<ErrorDetails> & {
    billed: false;
  };
/** Account or configuration: hold the lane and ring the alarm; no video is at fault. */
export type AccountRefused = {
  outcome: 'account_refused';
  reason: AccountRefusalReason;
  retryable: true;
} & ErrorDetails;

type WanRejection = RequestRefused | Throttled | Unavailable | AccountRefused;

/** Nothing was sent, or the answer to a question that costs nothing was lost. */
export function unavailable(cause: string): Unavailable {
  return { outcome: 'unavailable', cause, retryable: true, billed: false };
}

/** A hold that we find ourselves, before anything is sent. */
export function accountRefusal(reason: AccountRefusalReason, message: string): AccountRefused {
  return { outcome: 'account_refused', reason, code: reason, message, retryable: true, billed: false };
}

/**
 * What an answer that isn't a success says: by Wan's own code where there is
 * one, else by the HTTP status.
 *
 * @param secrets - texts that must not come back in the message, such as the prompt
 * @returns undefined when the answer proves nothing: a success, or a gateway's
 * error (5xx or 408 without Wan's error shape), behind which the request may
 * have been served
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
  const said: ErrorDetails = {
    code: error ? redact(error.code, secrets) : `http_${status}`,
    message: redact(error?.message ?? '', secrets),
    ...(error?.request_id ? { request_id: redact(error.request_id) } : {}),
    billed: false,
  };
  switch (meaning.kind) {
    case 'refused':
      return { outcome: 'refused', reason: meaning.reason, retryable: false, ...said };
    case 'throttled':
      return { outcome: 'throttled', retryable: true, ...said };
    case 'account_refused':
      return { outcome: 'account_refused', reason: meaning.reason, retryable: true, ...said };
    case 'unavailable':
      return { outcome: 'unavailable', cause: said.code, retryable: true, ...said };
  }
}

/** An error of Wan's with a code that isn't documented: failed calls make no task, so the status says enough. */
function meaningOfStatus(status: number): Meaning {
  if (status >= 500) return { kind: 'unavailable', failure: 'service_unavailable' };
  return meaningOfBareStatus(status) ?? { kind: 'refused', reason: 'other', failure: 'invalid_request' };
}

/** An answer without Wan's error shape comes from something in between. */
function meaningOfBareStatus(status: number): Meaning | undefined {
  const accountRefused = (reason: AccountRefusalReason): Meaning => ({
    kind: 'account_refused',
    reason,
    failure: 'account_on_hold',
  });
  if (status === 401) return accountRefused('invalid_key');
  if (status === 403) return accountRefused('access_denied');
  if (status === 429) return { kind: 'throttled', failure: 'rate_limited' };
  // A redirect or an unknown address: the base URL is wrong, whatever the video.
  if (status < 400 || status === 404 || status === 405) return accountRefused('endpoint');
  if (status === 408 || status >= 500) return undefined;
  return { kind: 'refused', reason: status === 413 ? 'input' : 'other', failure: 'invalid_request' };
}
