import type { Failure } from '../../video/record.ts';
import { type FailureCode, failureCodes } from '../../wan/errors.ts';
import { documentedMessage, type ReferenceCode } from './refusal.ts';
import { referenceOfViolation } from './violation-refusal.ts';

/**
 * A failed video's code, told in the reference's codes. Where we merged several of Wan's into one of ours, the most general one
 * stands; what went wrong in our own house is InternalError to a client, and a service that is out of order is one that is.
 */
const references: Record<FailureCode, ReferenceCode> = {
  invalid_request: 'InvalidParameter',
  image_refused: 'InvalidURL',
  image_unreachable: 'InvalidParameter.DataInspection',
  image_gone: 'InvalidParameter.DataInspection',
  content_refused: 'DataInspectionFailed',
  ip_infringement: 'IPInfringementSuspect',
  model_unavailable: 'ModelNotFound',
  generation_failed: 'InternalError',
  generation_timed_out: 'InternalError.Timeout',
  deadline_exceeded: 'InternalError.Timeout',
  service_unavailable: 'ModelUnavailable',
  rate_limited: 'Throttling.RateQuota',
  // The account is the deployment's, not the caller's: to the caller it is a service out of order.
  account_on_hold: 'ModelUnavailable',
  // See problem-refusal.ts.
  spending_limit_reached: 'Arrearage',
  // Whether it was paid for is not known: a client that tries again by itself would perhaps pay twice, so no throttling code.
  submission_uncertain: 'InternalError',
  task_expired: 'InternalError',
  task_canceled: 'InternalError',
  canceled: 'InternalError',
  video_lost: 'InternalError',
  video_broken: 'InternalError',
  internal_error: 'InternalError',
};

/** `code` and `message` of a FAILED task: the reference's words, then our own, which say what they were about. */
export function taskFailure({ code, message }: Failure): { code: ReferenceCode; message: string } {
  const known = failureCodes.find((failure) => failure === code);
  // A drop that was refused ends by the code of its first violation.
  const reference = known ? references[known] : referenceOfViolation({ pointer: '/input/img_url', code }).code;
  if (reference === 'InvalidParameter') return { code: reference, message };
  return { code: reference, message: `${documentedMessage(reference)} ${message}` };
}
