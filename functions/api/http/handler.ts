import type { APIGatewayProxyResult } from 'aws-lambda';
import type { Caller } from '../../shared/caller.ts';
import type { Subject } from '../../shared/logging.ts';
import { ProblemError } from '../../shared/problem.ts';
import { isVideoId } from '../../video/keys.ts';
import { callerOfPrincipal } from '../auth/iam-principal.ts';
import { type ApiRequest, json } from './request.ts';

/**
 * Turns a function of a request and its caller into a Lambda handler that fails closed: without an owner nothing is answered, and
 * a surprise becomes a 500 that tells nothing of the inside.
 * @param logError gets each surprise, and the request's id that its caller was given
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
      return problemResponse(surprise(), requestId);
    }
  };
}

/** The answer that a problem becomes. */
export function problemResponse(
  { status, members, headers }: ProblemError,
  requestId: string | undefined,
): APIGatewayProxyResult {
  const body = { type: 'about:blank', status, ...members, ...(requestId ? { request_id: requestId } : {}) };
  return json(status, body, { 'content-type': 'application/problem+json', ...headers });
}

/**
 * Who calls: whom the authorizer named, or, where API Gateway itself checks who signed (`auth: iam`), the owner of that principal.
 * @throws Problem 401 when neither tells
 */
export function readCaller({ requestContext: { authorizer, identity } }: ApiRequest): Caller {
  const caller = authorizer ? callerOfContext(authorizer) : identity && callerOfPrincipal(identity);
  if (caller) return caller;
  throw new ProblemError(401, {
    code: 'unauthorized',
    title: 'Who is calling is not known.',
    detail: 'Send your key in the header "Authorization: Bearer KEY".',
  });
}

function callerOfContext({ owner, key_id }: Record<string, unknown>): Caller | undefined {
  const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
  return isText(owner) && isText(key_id) ? { owner, key_id } : undefined;
}

const surprise = () =>
  new ProblemError(500, {
    code: 'internal_error',
    title: 'Something went wrong on our side.',
    detail:
      'Try again, with the same Idempotency-Key if there was one; if it happens again, report it with the request_id.',
  });

/** Answers the requests of one route. @throws Problem */
type Route<Services> = (
  services: Services,
  request: ApiRequest,
  caller: Caller,
) => APIGatewayProxyResult | Promise<APIGatewayProxyResult>;

/**
 * Answers a request by the route that it matched.
 * @param routes by the routes' paths, as the API has them: `/videos/{id}`
 * @throws Error for a route that leads to a function that does not have it: a mistake of the stack, not of the caller
 */
export function byRoute<Services>(
  services: Services,
  routes: Readonly<Record<string, Route<Services>>>,
): (request: ApiRequest, caller: Caller) => Promise<APIGatewayProxyResult> {
  const known = new Map(Object.entries(routes));
  return async (request, caller) => {
    const route = known.get(request.resource);
    if (!route) throw new Error(`The route ${request.resource} leads here but is not known here.`);
    return route(services, request, caller);
  };
}

/** What the lines of a request say: the id that its caller was given, and the video that its path names, if what stands there is an id. */
export function logContext({
  requestContext,
  pathParameters,
}: Pick<ApiRequest, 'requestContext' | 'pathParameters'>): Subject {
  const { requestId } = requestContext;
  // On the DashScope routes a task's id, which is its video's, is the last part of what follows.
  const named = pathParameters?.id ?? pathParameters?.proxy?.split('/').find(isVideoId);
  return {
    ...(requestId ? { request_id: requestId } : {}),
    ...(named && isVideoId(named) ? { video_id: named } : {}),
  };
}
