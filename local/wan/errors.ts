/** A request turned down, in the reference's shape: HTTP status, code and message. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** The outcome of a check: what was read, or why it is refused. */
export type Checked<T> = { readonly value: T } | { readonly refusal: Refusal };

/** The text clients match on; the mark at its end is the full-width one. */
export const urlError = 'url error, please check url！';
export const bodyError = 'Required body invalid, please check the request body format.';
export const downloadError = 'Unable to download the media resource during the data inspection process.';

const inappropriate = 'Input data may contain inappropriate content.';

/** Every code of the facts, "Errors", with its status and the message it usually carries. */
const catalogue: Readonly<Record<string, readonly [status: number, message: string]>> = {
  InvalidApiKey: [401, 'Invalid API-key provided.'],
  AccessDenied: [403, 'current user api does not support synchronous calls.'],
  'AccessDenied.Unpurchased': [403, 'Access to model denied. Please make sure you are eligible for using the model.'],
  'Model.AccessDenied': [403, 'Model access denied.'],
  'Workspace.AccessDenied': [403, 'Workspace access denied.'],
  'AllocationQuota.FreeTierOnly': [403, 'The free tier of the model has been exhausted.'],
  ModelNotFound: [404, 'Model can not be found.'],
  InvalidParameter: [400, 'The size is not match'],
  'InvalidParameter.DataInspection': [400, downloadError],
  'BadRequest.EmptyInput': [400, 'Required parameter "input" missing from request.'],
  'BadRequest.EmptyModel': [400, 'Required parameter "model" missing from request.'],
  'BadRequest.IllegalInput': [400, 'The input parameter requires json format.'],
  'BadRequest.TooLarge': [400, 'Payload Too Large.'],
  InvalidURL: [400, 'Invalid URL provided in your request.'],
  'InvalidURL.ConnectionRefused': [400, 'Connection to the URL refused, please provide available URL.'],
  'InvalidURL.Timeout': [400, 'Download timeout, please check network connection.'],
  DataInspectionFailed: [400, inappropriate],
  IPInfringementSuspect: [400, 'Input data is suspected of being involved in IP infringement.'],
  Arrearage: [400, 'Access denied, please make sure your account is in good standing.'],
  UnsupportedOperation: [400, 'Failed to cancel the task, please confirm if the task is in PENDING status.'],
  Throttling: [429, 'Requests throttling triggered.'],
  'Throttling.RateQuota': [429, 'Requests rate limit exceeded, please try again later.'],
  'Throttling.BurstRate': [
    429,
    'Request rate increased too quickly, please adjust your client to scale more smoothly.',
  ],
  'Throttling.AllocationQuota': [429, 'Allocated quota exceeded, please increase your quota limit.'],
  InternalError: [500, 'An internal error has occured, please try again later or contact service support.'],
  'InternalError.Algo': [500, 'inference internal error.'],
  'InternalError.Timeout': [500, 'An internal timeout error has occured during execution, please try again later.'],
  SystemError: [500, 'An system error has occured, please try again later.'],
  ModelServiceFailed: [500, 'Failed to request model service.'],
  RequestTimeOut: [500, 'Request timed out, please try again later.'],
  ModelServingError: [503, 'Model serving is busy, please try again later.'],
  ModelUnavailable: [503, 'Model is unavailable, please try again later.'],
};

/** Every code the emulator knows. */
export const knownCodes: readonly string[] = Object.keys(catalogue);

/**
 * A refusal by its code, with the usual status and message unless told.
 * A code that the catalogue lacks is taken as it is, with status 400: a prompt may direct any code.
 */
export function refuse(code: string, message?: string): Refusal {
  const [status, usual] = catalogue[code] ?? [400, `The request failed with ${code}.`];
  return { status, code, message: message ?? usual };
}

/** The message of a task that ends FAILED with the code. */
export function failureMessage(code: string): string {
  return code === 'DataInspectionFailed' ? 'Output data may contain inappropriate content.' : refuse(code).message;
}

/** The refusal of an image or audio file that was got and is not as it must be. */
export function invalidMedia(reason: string): { refusal: Refusal } {
  return { refusal: refuse('InvalidURL', `Invalid URL provided in your request: ${reason}.`) };
}
