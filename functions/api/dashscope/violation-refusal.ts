import type { Violation } from '../../wan/violations.ts';
import { documentedMessage, type ReferenceCode, Refusal } from './refusal.ts';

/** What clients match on; the mark at its end is the full-width one. */
export const urlError = 'url error, please check url！';

/** Where the reference has words of its own for a wrong field: the field, our code if it matters, and the reference's. */
const fieldRows: readonly { pointer: string; code?: string; reference: ReferenceCode; message?: string }[] = [
  { pointer: '', code: 'wrong_type', reference: 'InvalidParameter' },
  { pointer: '/model', code: 'missing', reference: 'BadRequest.EmptyModel' },
  { pointer: '/model', reference: 'ModelNotFound' },
  { pointer: '/input', code: 'missing', reference: 'BadRequest.EmptyInput' },
  { pointer: '/input', reference: 'BadRequest.IllegalInput' },
  {
    pointer: '/input/img_url',
    code: 'missing',
    reference: 'InvalidParameter',
    message: 'Field required: input.img_url.',
  },
];

/** An address that is none, or that nobody may be asked to fetch. */
const addressCodes = [
  'invalid_url',
  'invalid_data_url',
  'url_too_long',
  'unsupported_url_scheme',
  'credentials_in_url',
  'private_url',
] as const;

/** A picture or a sound "of a wrong type, size or length" (facts, "Errors": InvalidURL). */
const mediaCodes = [
  'unsupported_image_type',
  'image_empty',
  'image_truncated',
  'image_unreadable',
  'image_dimensions',
  'image_has_alpha',
  'unsupported_audio_type',
  'audio_empty',
  'audio_too_large',
  'audio_truncated',
  'audio_duration',
] as const;

const isOneOf = (codes: readonly string[], code: string): boolean => codes.includes(code);

/** The reference's code and words for a violation; words are missing where it only says "InvalidParameter" with a sentence. */
export function referenceOfViolation({ pointer, code }: Pick<Violation, 'pointer' | 'code'>): {
  code: ReferenceCode;
  message?: string;
} {
  const row = fieldRows.find((known) => known.pointer === pointer && (known.code ?? code) === code);
  if (row) return { code: row.reference, message: row.message ?? documentedMessage(row.reference) };
  if (isOneOf(addressCodes, code)) return { code: 'InvalidParameter', message: urlError };
  if (isOneOf(mediaCodes, code)) return documentedAs('InvalidURL');
  if (code === 'image_too_large') return documentedAs('BadRequest.TooLarge');
  // Wan says the same of an upload that it can't find.
  if (code === 'upload_not_found') return documentedAs('InvalidParameter.DataInspection');
  return { code: 'InvalidParameter' };
}

const documentedAs = (code: ReferenceCode) => ({ code, message: documentedMessage(code) });

/** A request's violations as one error: the first decides its code, and all of them are in its message. */
export function refusalOfViolations(violations: readonly Violation[]): Refusal {
  const [first] = violations;
  if (!first) return new Refusal('InvalidParameter');
  const { code, message } = referenceOfViolation(first);
  return new Refusal(code, [...(message ? [message] : []), ...violations.map(sentenceOf)].join(' '));
}

/** `/input/img_url` is `input.img_url` in the reference's words. */
function sentenceOf({ pointer, message }: Violation): string {
  const field = pointer.slice(1).replaceAll('/', '.');
  return field ? `${field}: ${message}` : message;
}
