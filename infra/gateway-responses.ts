import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';

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
const notSignedIn: GatewayProblem = {
  status: 401,
  code: 'InvalidApiKey',
  title: 'The API key is missing or not valid.',
  detail: 'Send a key of this service in the header: Authorization: Bearer KEY.',
  headers: { 'WWW-Authenticate': 'Bearer' },
};
const notAllowed: GatewayProblem = {
  status: 403,
  code: 'AccessDenied',
  title: 'The API key does not allow this.',
  detail: 'Use another key, or ask whoever runs this service for what yours lacks.',
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
  detail: 'An inline picture may have 4 MiB. Send a smaller one, or its http(s) URL.',
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
const brokenInside: GatewayProblem = {
  status: 500,
  code: 'InternalError',
  title: 'Something went wrong on our side.',
  detail: 'Try again; if it happens again, report it with the request_id.',
};
const noAnswerInside: GatewayProblem = {
  status: 502,
  code: 'InternalError',
  title: 'Something went wrong on our side.',
  detail:
    'Try again, with the same Idempotency-Key if there was one; if it happens again, report it with the request_id.',
};
const tooSlow: GatewayProblem = {
  status: 504,
  code: 'RequestTimeOut',
  title: 'The answer took too long.',
  detail: 'The request may have been done. Send it again with the same Idempotency-Key, or look at GET /videos first.',
};

/** Every type that API Gateway has, so that none answers in a shape of its own. */
const problems: readonly (readonly [ResponseType, GatewayProblem])[] = [
  [ResponseType.DEFAULT_4XX, badRequest],
  [ResponseType.DEFAULT_5XX, brokenInside],
  [ResponseType.ACCESS_DENIED, notAllowed],
  [ResponseType.API_CONFIGURATION_ERROR, brokenInside],
  [ResponseType.AUTHORIZER_CONFIGURATION_ERROR, brokenInside],
  [ResponseType.AUTHORIZER_FAILURE, brokenInside],
  [ResponseType.BAD_REQUEST_BODY, badRequest],
  [ResponseType.BAD_REQUEST_PARAMETERS, badRequest],
  [ResponseType.EXPIRED_TOKEN, notAllowed],
  [ResponseType.INTEGRATION_FAILURE, noAnswerInside],
  [ResponseType.INTEGRATION_TIMEOUT, tooSlow],
  [ResponseType.INVALID_API_KEY, notAllowed],
  [ResponseType.INVALID_SIGNATURE, notAllowed],
  // Named after what the gateway guesses; it is what an unknown path or method gets.
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, unknownRoute],
  [ResponseType.QUOTA_EXCEEDED, tooManyRequests],
  [ResponseType.REQUEST_TOO_LARGE, tooLarge],
  [ResponseType.RESOURCE_NOT_FOUND, unknownRoute],
  [ResponseType.THROTTLED, tooManyRequests],
  [ResponseType.UNAUTHORIZED, notSignedIn],
  [ResponseType.UNSUPPORTED_MEDIA_TYPE, unsupportedMediaType],
  [ResponseType.WAF_FILTERED, notAllowed],
];

/**
 * Shapes the answers that the gateway gives without asking a function: one template for both dialects, RFC 9457's members beside
 * the reference's `code`, `message` and `request_id`. As `application/json`, since clients of Wan's protocol read no other type.
 */
export function addGatewayResponses(api: RestApi): void {
  for (const [type, { status, headers = {}, ...problem }] of problems) {
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
