import { redact } from './redact.ts';

/** Why a video ended without success, in our own words, which stay when Wan's change. */
export type FailureCode = keyof typeof failures;

/** The `error` of a video's record. */
export type Failure = {
  code: FailureCode;
  message: string;
  /** Whether the same request, sent again, may succeed. */
  retryable: boolean;
  /** Whether Wan has charged for the video, or may have. */
  billed: boolean;
  hint: string;
  /** Wan's id of the call that said so. */
  request_id?: string;
};

type Row = Omit<Failure, 'code' | 'request_id'>;

/** The same request would fail again. */
const final = { retryable: false, billed: false } as const;
/** It may succeed another time, and this time cost nothing. */
const unbilled = { retryable: true, billed: false } as const;
/** It may succeed another time, and this time was paid for, or may have been. */
const billed = { retryable: true, billed: true } as const;

const failures = {
  invalid_request: {
    ...final,
    message: 'Wan refused the request.',
    hint: "Correct what Wan's answer names, and submit the video again.",
  },
  image_refused: {
    ...final,
    message: 'Wan refused the picture or the sound: its type, size or length is not one that the model takes.',
    hint: 'Use JPEG, PNG without transparency, BMP or WEBP of 360 to 2000 pixels a side and at most 10 MB; sound as WAV or MP3 of 3 to 30 s and at most 15 MB.',
  },
  image_unreachable: {
    ...unbilled,
    message: 'Wan could not download the picture or the sound.',
    hint: 'Check that the address opens without a login from anywhere, then POST /videos/{id}/retry; or submit the picture itself, as a data: URL or by POST /uploads.',
  },
  image_gone: {
    ...final,
    message: 'The picture or the sound of the video was deleted before Wan got it.',
    hint: 'Upload or drop the file again, which makes a new video, and leave it where it is until that one is done.',
  },
  content_refused: {
    ...final,
    message: "Wan's content moderation refused the prompt, the picture or the video made from them.",
    hint: 'Change the prompt or the picture; the same ones will be refused again.',
  },
  ip_infringement: {
    ...final,
    message: 'Wan suspects that the prompt or the picture infringes intellectual property.',
    hint: 'Leave out protected characters, brands and works, and try another picture.',
  },
  model_unavailable: {
    ...final,
    message: 'Wan does not offer this model in the region of this deployment.',
    hint: 'Choose another model.',
  },
  generation_failed: {
    ...unbilled,
    message: "Wan's service failed while it made the video.",
    hint: 'POST /videos/{id}/retry makes it anew; a failed attempt costs nothing.',
  },
  generation_timed_out: {
    ...unbilled,
    message: 'Wan had no result within its limit of 3 hours.',
    hint: 'POST /videos/{id}/retry makes it anew, at a less busy time if you can; the failed attempt costs nothing.',
  },
  service_unavailable: {
    ...unbilled,
    message: 'Wan could not be reached, or answered with errors, for so long that the attempt was given up.',
    hint: 'POST /videos/{id}/retry later.',
  },
  rate_limited: {
    ...unbilled,
    message: "Wan's rate limit was exceeded for so long that the attempt was given up.",
    hint: 'POST /videos/{id}/retry later; another program may be using the same Alibaba Cloud account.',
  },
  account_on_hold: {
    ...unbilled,
    message: "Wan does not serve this deployment's account at present.",
    hint: 'The operator must check the API key, the balance and the permissions of the Alibaba Cloud account; then POST /videos/{id}/retry.',
  },
  submission_uncertain: {
    ...billed,
    message: "Wan's answer to the submission was lost, and more than one task could be this video's.",
    hint: 'POST /videos/{id}/retry has it made, and paid for, again.',
  },
  task_expired: {
    ...billed,
    message: 'Wan no longer knows the task: it forgets tasks and videos after 24 hours.',
    hint: 'POST /videos/{id}/retry has it made again; whether the first one was charged shows in the Alibaba Cloud bill.',
  },
  task_canceled: {
    ...unbilled,
    message: "The task was canceled in Wan's own queue before it began.",
    hint: 'POST /videos/{id}/retry has it made after all.',
  },
  canceled: {
    ...unbilled,
    message: 'The video was canceled by its owner before Wan began to make it.',
    hint: 'POST /videos/{id}/retry has it made after all.',
  },
  spending_limit_reached: {
    ...unbilled,
    message: "The owner's spending limit for the month left no room for the video.",
    hint: 'GET /usage shows what is spent. POST /videos/{id}/retry next month, or when the operator has raised the limit.',
  },
  deadline_exceeded: {
    ...billed,
    message: 'The video was not finished within the time that this deployment allows.',
    hint: 'POST /videos/{id}/retry fetches it if Wan has finished it meanwhile, else has it made, and perhaps paid for, again.',
  },
  video_lost: {
    ...billed,
    message: 'Wan made the video, but it could not be copied before Wan deleted it.',
    hint: 'POST /videos/{id}/retry has it made, and paid for, again. The operator should look into why the copy failed.',
  },
  video_broken: {
    ...billed,
    message: 'Wan made the video, but every download of it was broken.',
    hint: 'POST /videos/{id}/retry downloads it again while Wan still has it, at no cost; 24 hours after its submission it makes, and pays for, a new one.',
  },
  internal_error: {
    ...unbilled,
    message: 'firstframe itself failed.',
    hint: 'POST /videos/{id}/retry; if it happens again, give the operator the id of the video.',
  },
} as const satisfies Record<string, Row>;

export const failureCodes = Object.keys(failures) as readonly FailureCode[];

/** An ending that Wan gave no code for, explained. */
export function explainEnding(code: FailureCode, request_id?: string): Failure {
  return { code, ...failures[code], ...(request_id ? { request_id } : {}) };
}

/**
 * An ending by one of Wan's error codes, explained: the record's `error`.
 * Wan's own words come along without addresses and keys, since a code such as
 * InvalidParameter says little without them. Failed calls and failed tasks are
 * never billed (reference, "Billing and rate limiting").
 *
 * @param stage - `submit` for a call that was refused, `task` for a task that failed
 */
export function explainFailure(failure: {
  code?: string | undefined;
  message?: string | undefined;
  request_id?: string | undefined;
  stage: 'submit' | 'task';
}): Failure {
  const { code = '', message = '', request_id, stage } = failure;
  const explained = explainEnding(failureCodeOf(code, message, stage), request_id);
  if (!code) return explained;
  const words = redact(message).trim();
  const answer = words ? `Wan's answer: ${redact(code)}, "${words}"` : `Wan's answer: ${redact(code)}`;
  return { ...explained, message: `${explained.message} ${answer}` };
}

function failureCodeOf(code: string, message: string, stage: 'submit' | 'task'): FailureCode {
  const meaning = meaningOf(code, message);
  if (!meaning) return stage === 'task' ? 'generation_failed' : 'invalid_request';
  if (stage === 'submit' && meaning.kind === 'unavailable') return 'service_unavailable';
  return meaning.failure;
}

/** Why Wan refused a request for good. */
export type RefusalReason = 'input' | 'moderation' | 'image_download' | 'model' | 'other';
/** Why no request of this account or deployment goes through, whatever video it is for. */
export type AccountRefusalReason = 'no_key' | 'invalid_key' | 'arrears' | 'access_denied' | 'quota' | 'endpoint';

/** What an error code of Wan means to us; `failure` is the record's code when a video ends by it. */
export type Meaning =
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly failure: FailureCode }
  | { readonly kind: 'throttled'; readonly failure: FailureCode }
  | { readonly kind: 'unavailable'; readonly failure: FailureCode }
  | { readonly kind: 'account_refused'; readonly reason: AccountRefusalReason; readonly failure: FailureCode };

type MeaningRow = { readonly code: RegExp; readonly message?: RegExp; readonly meaning: Meaning };

const accountRefused = (reason: AccountRefusalReason): Meaning => ({
  kind: 'account_refused',
  reason,
  failure: 'account_on_hold',
});
const refused = (reason: RefusalReason, failure: FailureCode): Meaning => ({ kind: 'refused', reason, failure });
const throttled: Meaning = { kind: 'throttled', failure: 'rate_limited' };
const unavailable = (failure: FailureCode): Meaning => ({ kind: 'unavailable', failure });

/** The documented codes, special before general: the first row that fits decides. */
const rows: readonly MeaningRow[] = [
  { code: /^InvalidApiKey$/i, meaning: accountRefused('invalid_key') },
  { code: /^(Arrearage|PrepaidBillOverdue|PostpaidBillOverdue)$/, meaning: accountRefused('arrears') },
  { code: /^AllocationQuota\.FreeTierOnly$/, meaning: accountRefused('quota') },
  { code: /^Throttling\.AllocationQuota$/, message: /\bfree\b/i, meaning: accountRefused('quota') },
  { code: /^Throttling(\.|$)/, meaning: throttled },
  { code: /^(\w+\.)?AccessDenied(\.|$)/, meaning: accountRefused('access_denied') },
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
