import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { Auth } from '../../functions/shared/environment.ts';
import type { Configuration } from '../config.ts';

/** What the gateway answers by itself: to whom the problem is, and how to mend it. */
interface GatewayProblem {
  readonly status: number;
  /** The reference's error code, for clients of Wan's own protocol. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const badRequest: GatewayProblem = {
  status: 400,
  code: 'InvalidParameter',
  title: 'The request can not be read.',
  detail: 'Check the method, the path, the query and the headers, then send it again.',
};
const noKey: GatewayProblem = {
  status: 401,
  code: 'InvalidApiKey',
  title: 'The API key is missing or not valid.',
  detail: 'Send a key of this service in the header: Authorization: Bearer KEY.',
  headers: { 'WWW-Authenticate': 'Bearer' },
};
const noToken: GatewayProblem = {
  ...noKey,
  title: 'The token is missing, not valid or no longer valid.',
  detail: 'Send a token that your identity provider made for this service in the header: Authorization: Bearer TOKEN.',
};
const notSigned: GatewayProblem = {
  status: 401,
  code: 'InvalidApiKey',
  title: 'The request is not signed, or there is no such route.',
  detail:
    'Sign it with AWS Signature Version 4 for the service execute-api. If it was signed, check method and path; both are case-sensitive.',
};
const wrongSignature: GatewayProblem = {
  ...notSigned,
  title: 'The signature of the request is not valid.',
  detail:
    'Sign it with AWS Signature Version 4 for the service execute-api and the region of this API, with current credentials and the right time.',
};
const notAllowed: GatewayProblem = {
  status: 403,
  code: 'AccessDenied',
  title: 'You are not allowed to do this.',
  detail: 'Use other credentials, or ask whoever runs this service for what yours lack.',
};
const unknownRoute: GatewayProblem = {
  status: 404,
  code: 'NotFound',
  title: 'There is no such route.',
  detail: 'Check the method and the path; both are case-sensitive.',
};
const tooLarge: GatewayProblem = {
  status: 413,
  code: 'BadRequest.TooLarge',
  title: 'The request is too large.',
  detail: 'An inline picture may have 4 MiB. Upload a larger one through POST /uploads, or send its http(s) URL.',
};
const unsupportedMediaType: GatewayProblem = {
  status: 415,
  code: 'InvalidParameter',
  title: 'The body is of a kind that is not taken.',
  detail: 'Send JSON with the header: Content-Type: application/json.',
};
const tooManyRequests: GatewayProblem = {
  status: 429,
  code: 'Throttling.RateQuota',
  title: 'Too many requests.',
  detail: 'Wait for the seconds in Retry-After, then send it again; nothing was done.',
  headers: { 'Retry-After': '1' },
};
const tooManyFromThere: GatewayProblem = {
  ...tooManyRequests,
  title: 'Too many requests from your address.',
  detail:
    'Send fewer: they are counted over five minutes, and let through again when there were less. Nothing was done.',
  headers: { 'Retry-After': '60' },
};
const brokenInside: GatewayProblem = {
  status: 500,
  code: 'InternalError',
  title: 'Something went wrong on our side.',
  detail: 'Try again; if it happens again, report it with the request_id.',
};
/** Lambda took the request from the gateway and gave no answer, or did not take it: a throttled function is such a failure too, not a 429. */
const noAnswerInside: GatewayProblem = {
  status: 502,
  code: 'InternalError',
  title: 'Something went wrong on our side, or too much is asked of it at once.',
  detail:
    'Wait for the seconds in Retry-After, then send it again, with the same Idempotency-Key if there was one; if it happens again, report it with the request_id.',
  headers: { 'Retry-After': '1' },
};
const tooSlow: GatewayProblem = {
  status: 504,
  code: 'RequestTimeOut',
  title: 'The answer took too long.',
  detail: 'The request may have been done. Send it again with the same Idempotency-Key, or look at GET /videos first.',
};

/** What a caller who was not recognised is told depends on how callers are recognised. */
function aboutCallers(mode: Auth['mode']): readonly (readonly [ResponseType, GatewayProblem])[] {
  const isSigned = mode === 'iam';
  return [
    [ResponseType.UNAUTHORIZED, mode === 'jwt' ? noToken : noKey],
    // Named after what the gateway guesses. An unknown path or method gets it, and so does an unsigned request where all must be signed.
    [ResponseType.MISSING_AUTHENTICATION_TOKEN, isSigned ? notSigned : unknownRoute],
    // Where nothing is signed, the gateway still reads an Authorization header as a signature when there is no such route.
    [ResponseType.INVALID_SIGNATURE, isSigned ? wrongSignature : unknownRoute],
    [ResponseType.EXPIRED_TOKEN, isSigned ? wrongSignature : unknownRoute],
  ];
}

/** The other types that API Gateway has, so that none answers in a shape of its own. */
const problems: readonly (readonly [ResponseType, GatewayProblem])[] = [
  [ResponseType.DEFAULT_4XX, badRequest],
  [ResponseType.DEFAULT_5XX, brokenInside],
  [ResponseType.ACCESS_DENIED, notAllowed],
  [ResponseType.API_CONFIGURATION_ERROR, brokenInside],
  [ResponseType.AUTHORIZER_CONFIGURATION_ERROR, brokenInside],
  [ResponseType.AUTHORIZER_FAILURE, brokenInside],
  [ResponseType.BAD_REQUEST_BODY, badRequest],
  [ResponseType.BAD_REQUEST_PARAMETERS, badRequest],
  [ResponseType.INTEGRATION_FAILURE, noAnswerInside],
  [ResponseType.INTEGRATION_TIMEOUT, tooSlow],
  [ResponseType.INVALID_API_KEY, notAllowed],
  [ResponseType.QUOTA_EXCEEDED, tooManyRequests],
  [ResponseType.REQUEST_TOO_LARGE, tooLarge],
  [ResponseType.RESOURCE_NOT_FOUND, unknownRoute],
  [ResponseType.THROTTLED, tooManyRequests],
  [ResponseType.UNSUPPORTED_MEDIA_TYPE, unsupportedMediaType],
];

/**
 * Shapes the answers that the gateway gives without asking a function: one template for both dialects, RFC 9457's members beside
 * the reference's `code`, `message` and `request_id`. As `application/json`, since clients of Wan's protocol read no other type.
 */
export function addGatewayResponses(api: RestApi, { auth, waf }: Configuration): void {
  // A web ACL of this stack has one rule, which counts; of another one's rules nothing is known here.
  const filtered = [ResponseType.WAF_FILTERED, waf ? tooManyFromThere : notAllowed] as const;
  for (const [type, { status, headers = {}, ...problem }] of [...problems, ...aboutCallers(auth.mode), filtered]) {
    api.addGatewayResponse(type.responseType, {
      type,
      statusCode: String(status),
      responseHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `'${value}'`])),
      templates: { 'application/json': template(status, problem) },
    });
  }
}

/** The id's variable is the only one: everything else is ours, so that no caller's text can break or forge the JSON. */
const template = (status: number, { code, title, detail }: Pick<GatewayProblem, 'code' | 'title' | 'detail'>): string =>
  JSON.stringify({
    type: 'about:blank',
    title,
    status,
    detail,
    code,
    message: detail,
    request_id: '$context.requestId',
  });
