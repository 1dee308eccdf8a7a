import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { readCaller } from '../api-handler.ts';
import { json } from '../http.ts';
import { refusalOf } from './problem-refusal.ts';
import { Refusal } from './refusal.ts';
import { routeOf } from './routes.ts';
import type { DashscopeRequest, DashscopeServices } from './services.ts';

/**
 * The reference's own protocol over the same videos, so that its clients work unchanged: every answer is JSON with a `request_id`,
 * every error `{code, message, request_id}`. Fails closed as `apiHandler` does, and a surprise tells nothing of the inside.
 * @param logError gets each surprise, and the request's id that its caller was given
 */
export function dashscopeHandler(
  services: DashscopeServices,
  logError: (error: unknown, requestId: string) => void,
): (request: DashscopeRequest) => Promise<APIGatewayProxyResult> {
  return async (request) => {
    const request_id = request.requestContext.requestId ?? randomUUID();
    try {
      const caller = readCaller(request);
      const { operation, taskId } = routeOf(request);
      return json(200, { ...(await operation(services, request, caller, taskId)), request_id });
    } catch (error) {
      const refusal = refusalOf(error);
      if (!refusal) logError(error, request_id);
      const { status, code, message, headers } = refusal ?? new Refusal('InternalError');
      return json(status, { code, message, request_id }, { ...headers });
    }
  };
}
