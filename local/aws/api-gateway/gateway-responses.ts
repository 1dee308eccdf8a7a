import type { ApiDefinition, GatewayResponseDefinition } from './api-definition.ts';
import type { ApiResponse } from './response.ts';

/** An error that API Gateway returns itself. */
export class GatewayError extends Error {
  readonly response_type: string;
  /** Used unless the template sets another one. */
  readonly status: number;

  constructor(response_type: string, status: number, message: string) {
    super(message);
    this.response_type = response_type;
    this.status = status;
  }
}

/** The errors that an API returns itself, with the service's response types, statuses and messages. */
export const gatewayErrors = {
  accessDenied: new GatewayError('ACCESS_DENIED', 403, 'User is not authorized to access this resource'),
  authorizerConfiguration: new GatewayError('AUTHORIZER_CONFIGURATION_ERROR', 500, 'Internal server error'),
  authorizerFailure: new GatewayError('AUTHORIZER_FAILURE', 500, 'Internal server error'),
  badRequest: new GatewayError('DEFAULT_4XX', 400, 'Bad Request'),
  expectationFailed: new GatewayError('DEFAULT_4XX', 417, 'Expectation Failed'),
  headersTooLarge: new GatewayError('DEFAULT_4XX', 431, 'Request Header Fields Too Large'),
  // Includes Lambda's throttling, whose 429 never reaches the client. The documentation has 504, but without a template
  // for it the service returns 500.
  // Of a domain name, before an API is known: no template applies.
  forbidden: new GatewayError('FORBIDDEN', 403, 'Forbidden'),
  integrationFailure: new GatewayError('INTEGRATION_FAILURE', 500, 'Internal server error'),
  integrationTimeout: new GatewayError('INTEGRATION_TIMEOUT', 504, 'Endpoint request timed out'),
  invalidSignature: new GatewayError(
    'INVALID_SIGNATURE',
    403,
    'The request signature does not match, or the credentials in it are not known',
  ),
  malformedProxyResponse: new GatewayError('DEFAULT_5XX', 502, 'Internal server error'),
  missingToken: new GatewayError('MISSING_AUTHENTICATION_TOKEN', 403, 'Missing Authentication Token'),
  requestTooLarge: new GatewayError('REQUEST_TOO_LARGE', 413, 'Request Too Long'),
  requestTimeout: new GatewayError('DEFAULT_4XX', 408, 'Request Timeout'),
  throttled: new GatewayError('THROTTLED', 429, 'Too Many Requests'),
  unsupportedMediaType: new GatewayError('UNSUPPORTED_MEDIA_TYPE', 415, 'Unsupported Media Type'),
  unauthorized: new GatewayError('UNAUTHORIZED', 401, 'Unauthorized'),
} as const;

/**
 * Formats errors by the template's gateway responses: the one of the error's type, else `DEFAULT_4XX` or `DEFAULT_5XX`,
 * else the service's `{"message": …}`.
 * @throws Error that names an unsupported variable or parameter
 */
export function createGatewayResponses(
  definitions: ApiDefinition['gateway_responses'],
): (error: GatewayError, requestId: string) => ApiResponse {
  const compiled = new Map(definitions.map((definition) => [definition.response_type, compileResponse(definition)]));
  return ({ response_type, status, message }, requestId) => {
    const byStatus = () => compiled.get(status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX');
    const custom = response_type === 'FORBIDDEN' ? undefined : (compiled.get(response_type) ?? byStatus());
    return {
      status: custom?.status ?? status,
      headers: [
        ['Content-Type', custom?.content_type ?? 'application/json'],
        ['x-amzn-ErrorType', response_type],
        ...(custom?.headers ?? []),
      ],
      body: Buffer.from(custom?.render?.(requestId) ?? JSON.stringify({ message })),
    };
  };
}

function compileResponse({ response_type, status_code, templates, parameters }: GatewayResponseDefinition) {
  try {
    const [[content_type, template] = [], ...otherTemplates] = Object.entries(templates ?? {});
    if (otherTemplates.length > 0) throw new Error('more than one template is not supported');
    return {
      status: status_code,
      content_type,
      render: template === undefined ? undefined : compileTemplate(template),
      headers: Object.entries(parameters).map(parseHeader),
    };
  } catch (error) {
    throw new Error(`The gateway response ${response_type}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Compiles a template. Supports one variable, the request id, and no statements. */
function compileTemplate(template: string): (requestId: string) => string {
  const parts = template.split(/\$context\.requestId\b/);
  const unsupported = /\$[\w.{]*/.exec(parts.join(''))?.[0];
  if (unsupported !== undefined) throw new Error(`the variable ${unsupported} is not supported`);
  return (requestId) => parts.join(requestId);
}

/** Parses a header with a constant value. */
function parseHeader([parameter, text]: [string, string]): [name: string, value: string] {
  const name = /^gatewayresponse\.header\.(.+)$/.exec(parameter)?.[1];
  if (name === undefined) throw new Error(`the parameter ${parameter} is not supported`);
  const value = /^'(.*)'$/.exec(text)?.[1];
  if (value === undefined) throw new Error(`the value ${text} is not supported`);
  return [name, value];
}
