import type { Issue } from '../../shared/issues.ts';
import { ProblemError, type ProblemMembers } from '../../shared/problem.ts';
import { modelNames } from '../../wan/catalogue.ts';

/**
 * The reference's error codes that these routes use, each with its HTTP status and documented message, and what to do about it where that
 * message does not say so.
 */
const documented = {
  InvalidApiKey: {
    status: 401,
    message: 'Invalid API-key provided.',
    fix: 'Send a key of this service in the header Authorization: Bearer KEY.',
  },
  AccessDenied: {
    status: 403,
    message: 'current user api does not support synchronous calls.',
    fix: 'Send the header X-DashScope-Async: enable, then query the task.',
  },
  NotFound: {
    status: 404,
    message: 'There is no such route.',
    fix: 'Check the path: it is case-sensitive and has no double slash.',
  },
  MethodNotAllowed: {
    status: 405,
    message: 'The route does not take this method.',
    fix: 'Use a method of the header Allow.',
  },
  ModelNotFound: {
    status: 404,
    message: 'Model can not be found.',
    fix: `Use one of ${modelNames.join(', ')}.`,
  },
  InvalidParameter: { status: 400, message: 'Required body invalid, please check the request body format.' },
  'InvalidParameter.DataInspection': {
    status: 400,
    message: 'Unable to download the media resource during the data inspection process.',
    fix: 'Upload the file again, or give a URL that opens from anywhere without a login.',
  },
  'BadRequest.EmptyInput': {
    status: 400,
    message: 'Required parameter "input" missing from request.',
    fix: 'Give "input" as an object with "img_url".',
  },
  'BadRequest.EmptyModel': {
    status: 400,
    message: 'Required parameter "model" missing from request.',
    fix: `Use one of ${modelNames.join(', ')}.`,
  },
  'BadRequest.IllegalInput': {
    status: 400,
    message: 'The input parameter requires json format.',
    fix: 'Give "input" as an object.',
  },
  'BadRequest.TooLarge': {
    status: 400,
    message: 'Payload Too Large.',
    fix: 'Upload the file with POST /uploads, or give its http(s) URL.',
  },
  InvalidURL: {
    status: 400,
    message: 'Invalid URL provided in your request.',
    fix: 'Give a file of a type, size and length that the model takes.',
  },
  DataInspectionFailed: {
    status: 400,
    message: 'Input or output data may contain inappropriate content.',
    fix: 'Change the prompt or the image.',
  },
  IPInfringementSuspect: {
    status: 400,
    message: 'Input data is suspected of being involved in IP infringement.',
    fix: 'Leave out protected characters, brands and works.',
  },
  Arrearage: { status: 400, message: 'Access denied, please make sure your account is in good standing.' },
  UnsupportedOperation: {
    status: 400,
    message: 'Failed to cancel the task, please confirm if the task is in PENDING status.',
  },
  'Throttling.RateQuota': { status: 429, message: 'Requests rate limit exceeded, please try again later.' },
  InternalError: { status: 500, message: 'An internal error occurred, please try again later.' },
  'InternalError.Timeout': { status: 500, message: 'The task had no result in time, please try again later.' },
  ModelUnavailable: { status: 503, message: 'Model is unavailable, please try again later.' },
} as const satisfies Record<string, { status: number; message: string; fix?: string }>;

export type ReferenceCode = keyof typeof documented;
export const referenceCodes = Object.keys(documented) as readonly ReferenceCode[];

export const referenceStatus = (code: ReferenceCode): number => documented[code].status;

/** The reference's message for a code. */
export const documentedMessage = (code: ReferenceCode): string => documented[code].message;

/** The reference's message for a code, and what to do. */
const fullMessage = (code: ReferenceCode): string => {
  const { message, fix }: { message: string; fix?: string } = documented[code];
  return fix ? `${message} ${fix}` : message;
};

/** An error response of Wan's protocol. */
export class DashscopeError extends Error {
  override readonly name = 'DashscopeError';
  readonly status: number;
  readonly code: ReferenceCode;
  readonly headers: Readonly<Record<string, string>>;

  /** @param message what is wrong, then what to do. @default the documented one of the code */
  constructor(
    code: ReferenceCode,
    message: string = fullMessage(code),
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = documented[code].status;
    this.code = code;
    this.headers = headers;
  }
}

/**
 * The reference's code for a problem code, where the status alone does not decide.
 * - Spending limit: the reference's only code about money; clients do not retry it, unlike a 429.
 * - A cancelation that is too late for any reason has a single code in the reference.
 */
const references: Readonly<Record<string, ReferenceCode>> = {
  unauthorized: 'InvalidApiKey',
  spending_limit_reached: 'Arrearage',
  image_too_large: 'BadRequest.TooLarge',
  audio_too_large: 'BadRequest.TooLarge',
  wan_unavailable: 'ModelUnavailable',
  video_is_starting: 'UnsupportedOperation',
  video_is_running: 'UnsupportedOperation',
  video_is_archiving: 'UnsupportedOperation',
  video_has_ended: 'UnsupportedOperation',
  video_has_succeeded: 'UnsupportedOperation',
  video_not_found: 'UnsupportedOperation',
};

/** Codes whose own message is used, without our detail, which refers to our own routes. */
const withoutDetail: readonly ReferenceCode[] = ['InvalidApiKey', 'UnsupportedOperation'];

/**
 * Translates an error of shared code to this protocol.
 * @returns undefined for an unexpected error, which the caller logs and hides
 */
export function dashscopeErrorOf(error: unknown): DashscopeError | undefined {
  if (error instanceof DashscopeError) return error;
  if (!(error instanceof ProblemError)) return undefined;
  const { status, members, headers } = error;
  const { code, errors } = members;
  const reference = references[code];
  if (reference === undefined && errors && errors.length > 0) return dashscopeErrorOfIssues(errors);
  if (reference === undefined) return new DashscopeError(...unlisted(status, members), headers);
  const message = withoutDetail.includes(reference)
    ? fullMessage(reference)
    : `${documentedMessage(reference)} ${members.detail}`;
  return new DashscopeError(reference, message, headers);
}

function unlisted(status: number, { code, title, detail }: ProblemMembers): [ReferenceCode, string] {
  if (status === 429) return ['Throttling.RateQuota', fullMessage('Throttling.RateQuota')];
  if (status >= 500) return ['InternalError', fullMessage('InternalError')];
  return ['InvalidParameter', `${code === 'invalid_json' ? documentedMessage('InvalidParameter') : title} ${detail}`];
}

/** Clients match this text. It ends with a full-width exclamation mark. */
const urlError = 'url error, please check url！';

/** Fields for which the reference has its own code: the field, our issue code if it matters, and the reference's code and message. */
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

/** Issue codes of invalid and forbidden URLs. */
const urlCodes = [
  'invalid_url',
  'invalid_data_url',
  'url_too_long',
  'unsupported_url_scheme',
  'credentials_in_url',
  'private_url',
] as const;

/** Issue codes of images and audio files "of a wrong type, size or length" (facts, "Errors": InvalidURL). */
const mediaCodes = [
  'unsupported_image_type',
  'image_empty',
  'image_unreadable',
  'image_dimensions',
  'image_has_alpha',
  'image_rotated_by_exif',
  'unsupported_audio_type',
  'audio_empty',
  'audio_too_large',
  'audio_unreadable',
  'audio_duration',
  'unsupported_video_type',
  'video_empty',
  'video_too_large',
  'video_unreadable',
  'video_duration',
  'video_frame_rate',
  'video_dimensions',
] as const;

const isOneOf = (codes: readonly string[], code: string): boolean => codes.includes(code);

/** The reference's code and message for an issue. Without a message, the code is InvalidParameter and the issue's own message is used. */
export function referenceOfIssue({ pointer, code }: Pick<Issue, 'pointer' | 'code'>): {
  code: ReferenceCode;
  message?: string;
} {
  const row = fieldRows.find((candidate) => candidate.pointer === pointer && (candidate.code ?? code) === code);
  if (row) return { code: row.reference, message: row.message ?? documentedMessage(row.reference) };
  if (isOneOf(urlCodes, code)) return { code: 'InvalidParameter', message: urlError };
  if (isOneOf(mediaCodes, code)) return documentedAs('InvalidURL');
  if (code === 'image_too_large') return documentedAs('BadRequest.TooLarge');
  // Wan uses this code for an upload that it cannot find.
  if (code === 'upload_not_found') return documentedAs('InvalidParameter.DataInspection');
  return { code: 'InvalidParameter' };
}

const documentedAs = (code: ReferenceCode) => ({ code, message: documentedMessage(code) });

/** A request's issues as one error: the first decides the code, and the message lists all of them. */
export function dashscopeErrorOfIssues(issues: readonly Issue[]): DashscopeError {
  const [first] = issues;
  if (!first) return new DashscopeError('InvalidParameter');
  const { code, message } = referenceOfIssue(first);
  return new DashscopeError(code, [...(message ? [message] : []), ...issues.map(sentenceOf)].join(' '));
}

/** Writes the pointer `/input/img_url` as `input.img_url`, as the reference does. */
function sentenceOf({ pointer, message }: Issue): string {
  const field = pointer.slice(1).replaceAll('/', '.');
  return field ? `${field}: ${message}` : message;
}
