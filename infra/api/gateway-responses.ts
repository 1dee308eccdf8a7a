import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { Code } from '../../functions/api/openapi/problem-codes.ts';
import type { Auth } from '../../functions/shared/environment.ts';
import { problemType } from '../../functions/shared/errors.ts';
import type { Configuration } from '../config.ts';

/** An error that the gateway returns without invoking a function, and how to fix it. */
interface GatewayProblem {
  readonly status: number;
  readonly code: Code;
  readonly title: string;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const badRequest: GatewayProblem = {
  status: 400,
  code: 'bad_request',
  title: 'The request is malformed.',
  detail: 'Check the method, the path, the query and the headers, then try again.',
};
const invalidApiKey: GatewayProblem = {
  status: 401,
  code: 'unauthorized',
  title: 'The API key is missing or invalid.',
  detail: 'Send a key of this service in the header: Authorization: Bearer KEY.',
  headers: { 'WWW-Authenticate': 'Bearer' },
};
const invalidToken: GatewayProblem = {
  ...invalidApiKey,
  title: 'The token is missing, invalid or expired.',
  detail:
    'Send a token that your identity provider issued for this service in the header: Authorization: Bearer TOKEN.',
};
const unsignedRequest: GatewayProblem = {
  status: 401,
  code: 'unauthorized',
  title: 'The request is not signed, or the route does not exist.',
  detail:
    'Sign it with AWS Signature Version 4 for the service execute-api. If it is signed, check method and path. Both are case-sensitive, and a double slash, as in //videos, matches no route.',
};
const invalidSignature: GatewayProblem = {
  ...unsignedRequest,
  title: 'The signature of the request is invalid.',
  detail:
    'Sign it with AWS Signature Version 4 for the service execute-api and the region of this API, with current credentials and the correct time.',
};
const accessDenied: GatewayProblem = {
  status: 403,
  code: 'access_denied',
  title: 'You are not allowed to do this.',
  detail: 'Use other credentials, or ask the operator of this service for the missing permission.',
};
const unknownRoute: GatewayProblem = {
  status: 404,
  code: 'route_not_found',
  title: 'The route does not exist.',
  // Not the path itself: a template cannot escape what the caller sent.
  detail:
    'Check the method and the path. Both are case-sensitive, and a double slash, as in //videos, matches no route.',
};
const tooLarge: GatewayProblem = {
  status: 413,
  code: 'request_too_large',
  title: 'The body of the request is too large.',
  detail:
    'A body may have up to 10 MB, and a file in it (image or audio, inline or in a form) up to 4 MiB. Upload a larger file with POST /uploads and give its media_url, or give its http(s) URL.',
};
const unsupportedEncoding: GatewayProblem = {
  status: 415,
  code: 'unsupported_content_encoding',
  title:
    'The body cannot be unpacked: Content-Encoding is not gzip, deflate or identity, or the body does not match it.',
  detail: 'Send the body without compression and without Content-Encoding, or compress it with gzip.',
  headers: { 'Accept-Encoding': 'gzip, deflate, identity' },
};
const tooManyRequests: GatewayProblem = {
  status: 429,
  code: 'too_many_requests',
  title: 'Too many requests.',
  detail: 'Nothing was done. Wait for the seconds in Retry-After, then try again.',
  headers: { 'Retry-After': '1' },
};
const tooManyRequestsFromAddress: GatewayProblem = {
  ...tooManyRequests,
  title: 'Too many requests from your address.',
  detail: 'Nothing was done. Send fewer requests: the limit counts those of the last five minutes.',
  headers: { 'Retry-After': '60' },
};
const internalError: GatewayProblem = {
  status: 500,
  code: 'internal_error',
  title: 'Something went wrong on our side.',
  detail: 'Try again. If it happens again, report it with the request_id.',
};
/** The function failed or Lambda did not accept the invocation. A throttled function causes this response as well, not a 429. */
const integrationFailure: GatewayProblem = {
  status: 502,
  code: 'bad_gateway',
  title: 'Something went wrong on our side, or there are too many concurrent requests.',
  detail:
    'Wait for the seconds in Retry-After, then try again, with the same Idempotency-Key if there was one. If it happens again, report it with the request_id.',
  headers: { 'Retry-After': '1' },
};
const integrationTimeout: GatewayProblem = {
  status: 504,
  code: 'gateway_timeout',
  title: 'The response took too long.',
  detail: 'The request may have succeeded. Try again with the same Idempotency-Key, or check GET /videos first.',
};

/** Returns the responses to unauthenticated callers, which depend on how callers authenticate. */
function authenticationResponses(mode: Auth['mode']): readonly (readonly [ResponseType, GatewayProblem])[] {
  const isSigned = mode === 'iam';
  return [
    [ResponseType.UNAUTHORIZED, mode === 'jwt' ? invalidToken : invalidApiKey],
    // The name is misleading: an unknown path or method gets this response, and with IAM an unsigned request as well.
    [ResponseType.MISSING_AUTHENTICATION_TOKEN, isSigned ? unsignedRequest : unknownRoute],
    // Without IAM, the gateway still reads an Authorization header as a signature if the route does not exist.
    [ResponseType.INVALID_SIGNATURE, isSigned ? invalidSignature : unknownRoute],
    [ResponseType.EXPIRED_TOKEN, isSigned ? invalidSignature : unknownRoute],
  ];
}

/** All other response types of API Gateway, so that no response has the gateway's own shape. */
const commonResponses: readonly (readonly [ResponseType, GatewayProblem])[] = [
  [ResponseType.DEFAULT_4XX, badRequest],
  [ResponseType.DEFAULT_5XX, internalError],
  [ResponseType.ACCESS_DENIED, accessDenied],
  [ResponseType.API_CONFIGURATION_ERROR, internalError],
  [ResponseType.AUTHORIZER_CONFIGURATION_ERROR, internalError],
  // Also when Lambda throttles the authorizer.
  [ResponseType.AUTHORIZER_FAILURE, { ...internalError, headers: { 'Retry-After': '1' } }],
  [ResponseType.BAD_REQUEST_BODY, badRequest],
  [ResponseType.BAD_REQUEST_PARAMETERS, badRequest],
  [ResponseType.INTEGRATION_FAILURE, integrationFailure],
  [ResponseType.INTEGRATION_TIMEOUT, integrationTimeout],
  [ResponseType.INVALID_API_KEY, accessDenied],
  [ResponseType.QUOTA_EXCEEDED, tooManyRequests],
  [ResponseType.REQUEST_TOO_LARGE, tooLarge],
  [ResponseType.RESOURCE_NOT_FOUND, unknownRoute],
  [ResponseType.THROTTLED, tooManyRequests],
  [ResponseType.UNSUPPORTED_MEDIA_TYPE, unsupportedEncoding],
];

/**
 * Shapes the responses that the gateway returns without invoking a function. One template serves both protocols: the members of
 * RFC 9457, and Wan's `message`, which states what is wrong and how to fix it. The codes are those of the handlers. The type is
 * `application/json`, the only one that clients of Wan's protocol read.
 */
export function addGatewayResponses(api: RestApi, { auth, waf, cors }: Configuration): void {
  // The stack's web ACL has only a rate-based rule. The rules of any other web ACL are unknown.
  const filtered = [ResponseType.WAF_FILTERED, waf ? tooManyRequestsFromAddress : accessDenied] as const;
  for (const [type, { status, headers = {}, ...problem }] of [
    ...commonResponses,
    ...authenticationResponses(auth.mode),
    filtered,
  ]) {
    api.addGatewayResponse(type.responseType, {
      type,
      statusCode: String(status),
      responseHeaders: Object.fromEntries(
        Object.entries({ ...headers, ...corsHeaders(cors) }).map(([name, value]) => [name, `'${value}'`]),
      ),
      templates: { 'application/json': template(status, problem) },
    });
  }
}

/** The headers are constants, so with several origins any may read these errors. They contain nothing of the caller. */
const corsHeaders = (origins: readonly string[]): Record<string, string> =>
  origins.length === 0
    ? {}
    : {
        'Access-Control-Allow-Origin': origins.length === 1 ? origins[0]! : '*',
        'Access-Control-Expose-Headers': '*',
      };

/**
 * The request id is the only variable. A caller may choose it, but API Gateway accepts no characters that would break the JSON.
 */
const template = (status: number, { code, title, detail }: Pick<GatewayProblem, 'code' | 'title' | 'detail'>): string =>
  JSON.stringify({
    type: problemType(code),
    title,
    status,
    detail,
    code,
    message: `${title} ${detail}`,
    request_id: '$context.requestId',
  });
