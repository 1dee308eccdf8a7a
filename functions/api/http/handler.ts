import type { APIGatewayProxyResult } from 'aws-lambda';
import type { AdmitRequest } from '../../queue/rate-limiter.ts';
import type { Caller } from '../../shared/caller.ts';
import { problemType } from '../../shared/errors.ts';
import type { Subject } from '../../shared/logging.ts';
import { ProblemError } from '../../shared/problem.ts';
import { isVideoId } from '../../video/keys.ts';
import { callerOfPrincipal } from '../auth/iam-principal.ts';
import { type ApiRequest, json } from './request.ts';

/**
 * Turns a function of a request and its caller into a Lambda handler that fails closed: a request without an owner is refused, and an
 * unexpected error becomes a 500 without internal details.
 * @param logError called with each unexpected error and the request id that the caller received
 */
export function apiHandler(
  respond: (request: ApiRequest, caller: Caller) => Promise<APIGatewayProxyResult>,
  logError: (error: unknown, requestId: string | undefined) => void,
): (request: ApiRequest) => Promise<APIGatewayProxyResult> {
  return async (request) => {
    const { requestId } = request.requestContext;
    try {
      return await respond(request, readCaller(request));
    } catch (error) {
      if (error instanceof ProblemError) return problemResponse(error, requestId);
      logError(error, requestId);
      return problemResponse(unexpectedError(), requestId);
    }
  };
}

/** The response for a problem (RFC 9457). */
export function problemResponse(
  { status, members, headers }: ProblemError,
  requestId: string | undefined,
): APIGatewayProxyResult {
  const body = { type: problemType(members.code), status, ...members, ...(requestId ? { request_id: requestId } : {}) };
  return json(status, body, { 'content-type': 'application/problem+json', ...headers });
}

/**
 * The caller of a request: from the authorizer's context, or with `auth: iam`, where API Gateway checks the signature, from the principal.
 * @throws ProblemError 401 when neither names one
 */
export function readCaller({ requestContext: { authorizer, identity } }: ApiRequest): Caller {
  const caller = authorizer ? callerOfContext(authorizer) : identity && callerOfPrincipal(identity);
  if (caller) return caller;
  throw new ProblemError(401, {
    code: 'unauthorized',
    title: 'The request has no valid credential.',
    detail: 'Send your key in the header "Authorization: Bearer KEY".',
  });
}

/** Counts a request of its owner. @throws ProblemError 429 above the owner's rate */
export async function keepRate(admitRequest: AdmitRequest, { owner }: Caller): Promise<void> {
  const seconds = await admitRequest(owner);
  if (seconds === undefined) return;
  throw new ProblemError(
    429,
    {
      code: 'too_many_requests',
      title: 'You send too many requests.',
      detail: 'Nothing was done. Repeat the request after the seconds in Retry-After, and send fewer at a time.',
    },
    { 'retry-after': String(Math.max(1, Math.ceil(seconds))) },
  );
}

function callerOfContext({ owner, key_id }: Record<string, unknown>): Caller | undefined {
  const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
  return isText(owner) && isText(key_id) ? { owner, key_id } : undefined;
}

const unexpectedError = () =>
  new ProblemError(500, {
    code: 'internal_error',
    title: 'An unexpected error occurred.',
    detail:
      'Try again, with the same Idempotency-Key if you sent one. If it happens again, report it with the request_id.',
  });

/** Handles the requests of one route. @throws ProblemError */
type Route<Services> = (
  services: Services,
  request: ApiRequest,
  caller: Caller,
) => APIGatewayProxyResult | Promise<APIGatewayProxyResult>;

/**
 * Handles a request with the route that it matched.
 * @param routes by path as in the API: `/videos/{id}`
 * @throws Error when the API sends a route to a function that does not handle it: a fault of the stack, not of the caller
 */
export function byRoute<Services>(
  services: Services,
  routes: Readonly<Record<string, Route<Services>>>,
): (request: ApiRequest, caller: Caller) => Promise<APIGatewayProxyResult> {
  const known = new Map(Object.entries(routes));
  return async (request, caller) => {
    const route = known.get(request.resource);
    if (!route) throw new Error(`This function does not handle the route ${request.resource}.`);
    return route(services, request, caller);
  };
}

/** The log context of a request: its request ids, and the id of the video in its path, if there is a valid one. */
export function logContext({
  requestContext,
  pathParameters,
}: Pick<ApiRequest, 'requestContext' | 'pathParameters'>): Subject {
  const { requestId, extendedRequestId } = requestContext;
  // On the DashScope routes the task id, which is the video's id, is part of the proxy path.
  const named = pathParameters?.id ?? pathParameters?.proxy?.split('/').find(isVideoId);
  return {
    ...(requestId ? { request_id: requestId } : {}),
    ...(extendedRequestId ? { extended_request_id: extendedRequestId } : {}),
    ...(named && isVideoId(named) ? { video_id: named } : {}),
  };
}
