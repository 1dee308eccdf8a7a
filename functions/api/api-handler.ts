import type { APIGatewayProxyResult } from 'aws-lambda';
import type { ApiRequest, Caller } from './http.ts';
import { callerOfPrincipal } from './principal.ts';
import { Problem, problemAnswer } from './problem.ts';

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
      if (error instanceof Problem) return problemAnswer(error, requestId);
      logError(error, requestId);
      return problemAnswer(surprise(), requestId);
    }
  };
}

/**
 * Who calls: whom the authorizer named, or, where API Gateway itself checks who signed (`auth: iam`), the owner of that principal.
 * @throws Problem 401 when neither tells
 */
export function readCaller({ requestContext: { authorizer, identity } }: ApiRequest): Caller {
  const caller = authorizer ? callerOfContext(authorizer) : identity && callerOfPrincipal(identity);
  if (caller) return caller;
  throw new Problem(401, {
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
  new Problem(500, {
    code: 'internal_error',
    title: 'Something went wrong on our side.',
    detail:
      'Try again, with the same Idempotency-Key if there was one; if it happens again, report it with the request_id.',
  });
