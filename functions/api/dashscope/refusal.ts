/** The reference's error codes that these routes answer with, each with its HTTP status and its documented message. */
const documented = {
  InvalidApiKey: { status: 401, message: 'Invalid API-key provided.' },
  AccessDenied: { status: 403, message: 'current user api does not support synchronous calls.' },
  NotFound: { status: 404, message: 'There is no such route.' },
  MethodNotAllowed: { status: 405, message: 'The route does not take this method.' },
  ModelNotFound: { status: 404, message: 'Model can not be found.' },
  InvalidParameter: { status: 400, message: 'Required body invalid, please check the request body format.' },
  'InvalidParameter.DataInspection': {
    status: 400,
    message: 'Unable to download the media resource during the data inspection process.',
  },
  'BadRequest.EmptyInput': { status: 400, message: 'Required parameter "input" missing from request.' },
  'BadRequest.EmptyModel': { status: 400, message: 'Required parameter "model" missing from request.' },
  'BadRequest.IllegalInput': { status: 400, message: 'The input parameter requires json format.' },
  'BadRequest.TooLarge': { status: 400, message: 'Payload Too Large.' },
  InvalidURL: { status: 400, message: 'Invalid URL provided in your request.' },
  DataInspectionFailed: { status: 400, message: 'Input or output data may contain inappropriate content.' },
  IPInfringementSuspect: { status: 400, message: 'Input data is suspected of being involved in IP infringement.' },
  Arrearage: { status: 400, message: 'Access denied, please make sure your account is in good standing.' },
  UnsupportedOperation: {
    status: 400,
    message: 'Failed to cancel the task, please confirm if the task is in PENDING status.',
  },
  'Throttling.RateQuota': { status: 429, message: 'Requests rate limit exceeded, please try again later.' },
  InternalError: { status: 500, message: 'An internal error occurred, please try again later.' },
  'InternalError.Timeout': { status: 500, message: 'The task had no result in time, please try again later.' },
  ModelUnavailable: { status: 503, message: 'Model is unavailable, please try again later.' },
} as const;

export type ReferenceCode = keyof typeof documented;
export const referenceCodes = Object.keys(documented) as readonly ReferenceCode[];

/** What the reference says with a code. */
export const documentedMessage = (code: ReferenceCode): string => documented[code].message;

/** An answer that is an error, in the reference's words: thrown anywhere below the routes of its protocol. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: ReferenceCode;
  readonly headers: Readonly<Record<string, string>>;

  /** @param message @default the documented one of the code */
  constructor(
    code: ReferenceCode,
    message: string = documentedMessage(code),
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = documented[code].status;
    this.code = code;
    this.headers = headers;
  }
}
