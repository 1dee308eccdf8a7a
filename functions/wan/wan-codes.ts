import type { FailureCode } from './errors.ts';

/** Why Wan refused a request for good. */
export type RefusalReason = 'input' | 'moderation' | 'image_download' | 'model' | 'other';
/** Why no request of this account or deployment goes through, whatever video it is for. */
export type HoldReason = 'no_key' | 'invalid_key' | 'arrears' | 'access_denied' | 'quota' | 'endpoint';

/** What an error code of Wan means to us; `failure` is the record's code when a video ends by it. */
export type Meaning =
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly failure: FailureCode }
  | { readonly kind: 'throttled'; readonly failure: FailureCode }
  | { readonly kind: 'unavailable'; readonly failure: FailureCode }
  | { readonly kind: 'held'; readonly reason: HoldReason; readonly failure: FailureCode };

type Row = { readonly code: RegExp; readonly message?: RegExp; readonly meaning: Meaning };

const held = (reason: HoldReason): Meaning => ({ kind: 'held', reason, failure: 'account_on_hold' });
const refused = (reason: RefusalReason, failure: FailureCode): Meaning => ({ kind: 'refused', reason, failure });
const throttled: Meaning = { kind: 'throttled', failure: 'rate_limited' };
const unavailable = (failure: FailureCode): Meaning => ({ kind: 'unavailable', failure });

/** The documented codes, special before general: the first row that fits decides. */
const rows: readonly Row[] = [
  { code: /^InvalidApiKey$/i, meaning: held('invalid_key') },
  { code: /^(Arrearage|PrepaidBillOverdue|PostpaidBillOverdue)$/, meaning: held('arrears') },
  { code: /^AllocationQuota\.FreeTierOnly$/, meaning: held('quota') },
  { code: /^Throttling\.AllocationQuota$/, message: /\bfree\b/i, meaning: held('quota') },
  { code: /^Throttling(\.|$)/, meaning: throttled },
  { code: /^(\w+\.)?AccessDenied(\.|$)/, meaning: held('access_denied') },
  { code: /^ModelNotFound$/, meaning: refused('model', 'model_unavailable') },
  { code: /^InvalidParameter$/, message: /^Model not exist/i, meaning: refused('model', 'model_unavailable') },
  { code: /^DataInspectionFailed$/, meaning: refused('moderation', 'content_refused') },
  { code: /^IPInfringementSuspect$/, meaning: refused('moderation', 'ip_infringement') },
  { code: /^InvalidParameter\.DataInspection$/, meaning: refused('image_download', 'image_unreachable') },
  { code: /^InvalidURL\.(ConnectionRefused|Timeout)$/, meaning: refused('image_download', 'image_unreachable') },
  { code: /^InvalidURL(\.|$)/, meaning: refused('input', 'image_refused') },
  { code: /^InvalidParameter$/, message: /^url error/i, meaning: refused('input', 'image_refused') },
  { code: /^(InvalidParameter|BadRequest)(\.|$)/, meaning: refused('input', 'invalid_request') },
  { code: /^InternalError\.Timeout$/, meaning: unavailable('generation_timed_out') },
  {
    code: /^(InternalError|SystemError|ModelServiceFailed|RequestTimeOut)(\.|$)/,
    meaning: unavailable('generation_failed'),
  },
  { code: /^(ModelServingError|ModelUnavailable)(\.|$)/, meaning: unavailable('generation_failed') },
];

/** What a code of Wan means, or undefined for one that isn't documented. */
export function meaningOf(code: string, message = ''): Meaning | undefined {
  return rows.find((row) => row.code.test(code) && (row.message?.test(message) ?? true))?.meaning;
}
