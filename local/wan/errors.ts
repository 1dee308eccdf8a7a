/** An error response in the shape of the reference: HTTP status, code and message. */
export interface ApiError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Result of a check: the value that was read, or the error. */
export type Checked<T> = { readonly value: T } | { readonly error: ApiError };

/** Clients match on this text. Its exclamation mark is the full-width one. */
export const urlError = 'url error, please check url！';
export const bodyError = 'Required body invalid, please check the request body format.';
export const downloadError = 'Unable to download the media resource during the data inspection process.';

const inappropriate = 'Input data may contain inappropriate content.';

/** Every code of the facts, "Errors", with its status and usual message. */
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

/** Every code of the catalogue. */
export const knownCodes: readonly string[] = Object.keys(catalogue);

/**
 * Returns the error of a code, with its usual status and, by default, its usual message.
 * A code that is not in the catalogue has status 400, because a directive may name any code.
 */
export function apiError(code: string, message?: string): ApiError {
  const [status, usualMessage] = catalogue[code] ?? [400, `The request failed with ${code}.`];
  return { status, code, message: message ?? usualMessage };
}

/** Message of a task that ends FAILED with the code. */
export function failureMessage(code: string): string {
  return code === 'DataInspectionFailed' ? 'Output data may contain inappropriate content.' : apiError(code).message;
}

/** Error of an image or audio file that was downloaded but is invalid. */
export function invalidMedia(reason: string): { error: ApiError } {
  return { error: apiError('InvalidURL', `Invalid URL provided in your request: ${reason}.`) };
}
