import type { ApiDefinition, GatewayResponseDefinition } from './api-definition.ts';
import type { ApiRequest } from './request.ts';
import type { ApiResponse } from './response.ts';

/** What went wrong, where an answer is the gateway's own. */
export interface Fault {
  response_type: string;
  /** Where the template sets none. */
  status: number;
  message: string;
}

/** The faults that an API raises by itself, with the words and statuses of the service. */
export const faults = {
  accessDenied: {
    response_type: 'ACCESS_DENIED',
    status: 403,
    message: 'User is not authorized to access this resource',
  },
  authorizerConfiguration: {
    response_type: 'AUTHORIZER_CONFIGURATION_ERROR',
    status: 500,
    message: 'Internal server error',
  },
  authorizerFailure: { response_type: 'AUTHORIZER_FAILURE', status: 500, message: 'Internal server error' },
  badRequest: { response_type: 'DEFAULT_4XX', status: 400, message: 'Bad Request' },
  expectationFailed: { response_type: 'DEFAULT_4XX', status: 417, message: 'Expectation Failed' },
  headersTooLarge: { response_type: 'DEFAULT_4XX', status: 431, message: 'Request Header Fields Too Large' },
  // Also where Lambda throttles a function: its 429 never reaches the client. Documented as 504, but where no template says so the service gives 500.
  integrationFailure: { response_type: 'INTEGRATION_FAILURE', status: 500, message: 'Internal server error' },
  integrationTimeout: { response_type: 'INTEGRATION_TIMEOUT', status: 504, message: 'Endpoint request timed out' },
  invalidSignature: {
    response_type: 'INVALID_SIGNATURE',
    status: 403,
    message: 'The request signature does not match, or the credentials in it are not known',
  },
  malformedAnswer: { response_type: 'DEFAULT_5XX', status: 502, message: 'Internal server error' },
  missingToken: { response_type: 'MISSING_AUTHENTICATION_TOKEN', status: 403, message: 'Missing Authentication Token' },
  requestTooLarge: { response_type: 'REQUEST_TOO_LARGE', status: 413, message: 'Request Too Long' },
  requestTimeout: { response_type: 'DEFAULT_4XX', status: 408, message: 'Request Timeout' },
  throttled: { response_type: 'THROTTLED', status: 429, message: 'Too Many Requests' },
  unauthorized: { response_type: 'UNAUTHORIZED', status: 401, message: 'Unauthorized' },
} as const satisfies Record<string, Fault>;

/**
 * Shapes the gateway's own answers by the template's gateway responses: the fault's own type, else `DEFAULT_4XX` or
 * `DEFAULT_5XX`, else the service's `{"message": …}`.
 * @throws Error that names a variable or parameter the local runtime does not know
 */
export function createGatewayResponses(
  definitions: ApiDefinition['gateway_responses'],
): (fault: Fault, request: Pick<ApiRequest, 'request_id'>) => ApiResponse {
  const compiled = new Map(definitions.map((definition) => [definition.response_type, compile(definition)]));
  return (fault, { request_id }) => {
    const shape = compiled.get(fault.response_type) ?? compiled.get(fault.status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX');
    return {
      status: shape?.status ?? fault.status,
      headers: [
        ['Content-Type', shape?.content_type ?? 'application/json'],
        ['x-amzn-ErrorType', fault.response_type],
        ...(shape?.headers ?? []),
      ],
      body: Buffer.from(shape?.render?.(request_id) ?? JSON.stringify({ message: fault.message })),
    };
  };
}

function compile({ response_type, status_code, templates, parameters }: GatewayResponseDefinition) {
  try {
    const [[content_type, template] = [], ...more] = Object.entries(templates ?? {});
    if (more.length > 0) throw new Error('more than one template: the local runtime knows one media type');
    return {
      status: status_code,
      content_type,
      render: template === undefined ? undefined : compileTemplate(template),
      headers: Object.entries(parameters).map(readHeader),
    };
  } catch (error) {
    throw new Error(`The gateway response ${response_type}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A template knows no statements and one variable, the request's id. */
function compileTemplate(template: string): (requestId: string) => string {
  const parts = template.split(/\$context\.requestId\b/);
  const unknown = /\$[\w.{]*/.exec(parts.join(''))?.[0];
  if (unknown !== undefined) throw new Error(`the variable ${unknown} is unknown`);
  return (requestId) => parts.join(requestId);
}

/** A header with a constant value. */
function readHeader([parameter, written]: [string, string]): [name: string, value: string] {
  const name = /^gatewayresponse\.header\.(.+)$/.exec(parameter)?.[1];
  if (name === undefined) throw new Error(`the parameter ${parameter} is unknown`);
  const value = /^'(.*)'$/.exec(written)?.[1];
  if (value === undefined) throw new Error(`the value ${written} is unknown`);
  return [name, value];
}
