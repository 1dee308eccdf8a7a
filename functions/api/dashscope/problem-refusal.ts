import { Problem } from '../problem.ts';
import { documentedMessage, type ReferenceCode, Refusal } from './refusal.ts';
import { refusalOfViolations } from './violation-refusal.ts';

/**
 * What the shared code's problems are called in the reference, where the status alone doesn't say.
 * - A spending limit: the reference's one code about money that no client tries again, as it would do with a 429.
 * - A cancelation that comes too late, whatever for: the reference has one answer.
 */
const references: Readonly<Record<string, ReferenceCode>> = {
  unauthorized: 'InvalidApiKey',
  spending_limit_reached: 'Arrearage',
  image_too_large: 'BadRequest.TooLarge',
  wan_unavailable: 'ModelUnavailable',
  video_is_starting: 'UnsupportedOperation',
  video_is_running: 'UnsupportedOperation',
  video_is_archiving: 'UnsupportedOperation',
  video_has_ended: 'UnsupportedOperation',
  video_has_succeeded: 'UnsupportedOperation',
  video_not_found: 'UnsupportedOperation',
};

/** The reference says these in full: what our own words would add belongs to our own protocol. */
const alone: readonly ReferenceCode[] = ['InvalidApiKey', 'UnsupportedOperation'];

/**
 * Any error as this protocol's answer: the one place where what shared code throws is translated.
 * @returns undefined for a surprise, which must be logged and told nothing of
 */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (!(error instanceof Problem)) return undefined;
  const { status, members, headers } = error;
  const { code, detail, errors } = members;
  const reference = references[code];
  if (reference === undefined && errors && errors.length > 0) return refusalOfViolations(errors);
  if (reference === undefined) return new Refusal(...unlisted(status, code, detail), headers);
  const message = documentedMessage(reference);
  return new Refusal(reference, alone.includes(reference) ? message : `${message} ${detail}`, headers);
}

function unlisted(status: number, code: string, detail: string): [ReferenceCode, string] {
  if (status === 429) return ['Throttling.RateQuota', documentedMessage('Throttling.RateQuota')];
  if (status >= 500) return ['InternalError', documentedMessage('InternalError')];
  const isBroken = code === 'invalid_json';
  return ['InvalidParameter', isBroken ? `${documentedMessage('InvalidParameter')} ${detail}` : detail];
}
