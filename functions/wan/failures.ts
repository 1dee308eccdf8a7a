import type { KeyDefectReason } from './key.ts';
import { redact } from './redact.ts';

/** Why a video ended without success. Our codes stay the same when Wan's change. */
export type FailureCode = keyof typeof failures;

/** The `error` of a video's record. */
export type Failure = {
  code: FailureCode;
  message: string;
  /** Whether a retry may succeed. */
  retryable: boolean;
  /** Whether Wan has billed the video, or may have. */
  billed: boolean;
  hint: string;
  /** Wan's id of the request that failed. */
  request_id?: string;
};

type Row = Omit<Failure, 'code' | 'request_id'>;

/** The same request would fail again. */
const final = { retryable: false, billed: false } as const;
/** A retry may succeed, and this attempt cost nothing. */
const unbilled = { retryable: true, billed: false } as const;
/** A retry may succeed, and this attempt was billed, or may have been. */
const billed = { retryable: true, billed: true } as const;

const failures = {
  invalid_request: {
    ...final,
    message: 'Wan refused the request.',
    hint: "Correct what Wan's message names, and submit the video again.",
  },
  image_refused: {
    ...final,
    message: 'Wan refused an image, audio or video file: the model does not accept its type, size or length.',
    hint: 'Use JPEG, PNG without transparency, BMP or WEBP; audio as WAV or MP3; video as MP4 or MOV. GET /models has the limits of each model.',
  },
  image_unreachable: {
    ...unbilled,
    message: 'Wan could not download an image, audio or video file.',
    hint: 'Check that the URL opens from anywhere without a login, then POST /videos/{id}/retry. Or send the file itself, as a data: URL or with POST /uploads.',
  },
  image_gone: {
    ...final,
    message: 'An image, audio or video file of the request was deleted before Wan received it.',
    hint: 'Upload or drop the file again, which creates a new video, and keep it until that video is done.',
  },
  content_refused: {
    ...final,
    message: "Wan's content moderation refused the prompt, the image or the generated video.",
    hint: 'Change the prompt or the image; the same ones will be refused again.',
  },
  ip_infringement: {
    ...final,
    message: 'Wan suspects that the prompt or the image infringes intellectual property.',
    hint: 'Leave out protected characters, brands and works, or use another image.',
  },
  model_unavailable: {
    ...final,
    message: 'Wan does not offer this model in the region of this deployment.',
    hint: 'Choose another model.',
  },
  generation_failed: {
    ...unbilled,
    message: "Wan's service failed while it generated the video.",
    hint: 'POST /videos/{id}/retry starts a new attempt. The failed one costs nothing. If it fails again, the image may be damaged: save it again.',
  },
  generation_timed_out: {
    ...unbilled,
    message: 'Wan had no result within its limit of 3 hours.',
    hint: 'POST /videos/{id}/retry starts a new attempt, preferably at a less busy time. The failed one costs nothing.',
  },
  service_unavailable: {
    ...unbilled,
    message: 'Wan could not be reached, or returned errors, until all attempts were used up.',
    hint: 'POST /videos/{id}/retry later.',
  },
  rate_limited: {
    ...unbilled,
    message: "Wan's rate limit was exceeded until all attempts were used up.",
    hint: 'POST /videos/{id}/retry later. Another program may be using the same Alibaba Cloud account.',
  },
  account_on_hold: {
    ...unbilled,
    message: "Wan refuses this deployment's account at present.",
    hint: 'The operator must check the API key, balance and permissions of the Alibaba Cloud account. Then POST /videos/{id}/retry.',
  },
  submission_uncertain: {
    ...billed,
    message: "Wan's response to the submission was lost, and several tasks could belong to this video.",
    hint: 'POST /videos/{id}/retry starts a new attempt, which is paid for again.',
  },
  task_expired: {
    ...billed,
    message: 'Wan no longer knows the task: it deletes tasks and videos after 24 hours.',
    hint: 'POST /videos/{id}/retry starts a new attempt. The Alibaba Cloud bill shows whether the first one was charged.',
  },
  task_canceled: {
    ...unbilled,
    message: "The task was canceled in Wan's own queue before it started.",
    hint: 'POST /videos/{id}/retry starts a new attempt.',
  },
  canceled: {
    ...unbilled,
    message: 'The video was canceled by its owner before Wan started it.',
    hint: 'POST /videos/{id}/retry starts a new attempt.',
  },
  spending_limit_reached: {
    ...unbilled,
    message: "The video would have exceeded the owner's spending limit for the month.",
    hint: 'GET /usage shows what is spent. POST /videos/{id}/retry next month, or after the operator has raised the limit.',
  },
  deadline_exceeded: {
    ...billed,
    message: 'The video was not finished within the time that this deployment allows.',
    hint: 'POST /videos/{id}/retry fetches the video if Wan has finished it. Otherwise it starts a new attempt, which may be paid for again.',
  },
  video_lost: {
    ...billed,
    message: 'Wan generated the video, but it could not be copied before Wan deleted it.',
    hint: 'POST /videos/{id}/retry starts a new attempt, which is paid for again. The operator should find out why the copy failed.',
  },
  video_broken: {
    ...billed,
    message: 'Wan generated the video, but every download of it was broken.',
    hint: 'POST /videos/{id}/retry downloads it again at no cost while Wan still has it. From 24 hours after its submission it starts a new attempt, which is paid for.',
  },
  internal_error: {
    ...unbilled,
    message: 'firstframe failed with an unexpected error.',
    hint: 'POST /videos/{id}/retry. If it happens again, give the operator the id of the video.',
  },
} as const satisfies Record<string, Row>;

export const failureCodes = Object.keys(failures) as readonly FailureCode[];

/** The failure for one of our own codes. */
export function explainEnding(code: FailureCode, request_id?: string): Failure {
  return { code, ...failures[code], ...(request_id ? { request_id } : {}) };
}

/**
 * The failure for one of Wan's error codes. Wan's message is appended without URLs and keys, because a code such as InvalidParameter
 * alone does not explain the failure. Refused calls and failed tasks are never billed (reference, "Billing and rate limiting").
 * @param stage `submit` for a call that was refused, `task` for a task that failed
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
  const details = words ? `Wan's message: ${redact(code)}, "${words}"` : `Wan's code: ${redact(code)}`;
  return { ...explained, message: `${explained.message} ${details}` };
}

function failureCodeOf(code: string, message: string, stage: 'submit' | 'task'): FailureCode {
  const meaning = meaningOf(code, message);
  if (!meaning) return stage === 'task' ? 'generation_failed' : 'invalid_request';
  if (stage === 'submit' && meaning.kind === 'unavailable') return 'service_unavailable';
  return meaning.failure;
}

/** Why Wan refused a request permanently. */
export type RefusalReason = 'input' | 'moderation' | 'image_download' | 'model' | 'other';
/** Why Wan refuses every request of this account or deployment. */
export type AccountRefusalReason = KeyDefectReason | 'invalid_key' | 'arrears' | 'access_denied' | 'quota' | 'endpoint';

/** How firstframe treats an error code of Wan; `failure` is the code of a video that ends by it. */
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

/** The documented codes, specific before general: the first matching row decides. */
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

/** The meaning of a code of Wan; undefined for an undocumented one. */
export function meaningOf(code: string, message = ''): Meaning | undefined {
  return rows.find((row) => row.code.test(code) && (row.message?.test(message) ?? true))?.meaning;
}
