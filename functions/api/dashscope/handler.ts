import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { keepRate, readCaller } from '../http/handler.ts';
import { json } from '../http/request.ts';
import { cancelTask } from './cancel-task-route.ts';
import { createTask } from './create-task-route.ts';
import { DashscopeError, dashscopeErrorOf } from './errors.ts';
import { fileRoute, redirectToFile } from './file-link.ts';
import { listTasks } from './list-tasks-route.ts';
import { queryTask } from './query-task-route.ts';
import { receiveUpload } from './receive-upload.ts';
import type { DashscopeRequest, DashscopeServices, Operation } from './services.ts';
import { getUploadPolicy } from './upload-policy.ts';

/**
 * Serves Wan's own protocol over the same videos, so that its clients work unchanged: every response is JSON with a `request_id`, every
 * error is `{code, message, request_id}`. Fails closed as `apiHandler` does; an unexpected error reveals no internal details.
 * @param logError called with each unexpected error and the request id that the caller received
 */
export function dashscopeHandler(
  services: DashscopeServices,
  logError: (error: unknown, requestId: string) => void,
): (request: DashscopeRequest) => Promise<APIGatewayProxyResult> {
  return async (request) => {
    const request_id = request.requestContext.requestId ?? randomUUID();
    try {
      if (request.httpMethod === 'OPTIONS') return optionsOf(request);
      if (request.resource === fileRoute) return await redirectToFile(services, request);
      const caller = readCaller(request);
      await keepRate(services.admitRequest, caller);
      const { route, taskId } = routeOf(request);
      const operation = operationOf(route, request.httpMethod);
      return json(200, { ...(await operation(services, request, caller, taskId)), request_id });
    } catch (error) {
      const known = dashscopeErrorOf(error);
      if (!known) logError(error, request_id);
      const { status, code, message, headers } = known ?? new DashscopeError('InternalError');
      return json(status, { code, message, request_id }, { ...headers });
    }
  };
}

type Route = (typeof routes)[number];

/** @throws DashscopeError for an unknown path */
function routeOf({ resource, pathParameters }: DashscopeRequest): { route: Route; taskId: string } {
  // The request's path may begin with the base path of a custom domain, so the matched parts are used.
  const path = (pathParameters?.proxy ?? resource.replace(/^\/api\/v1\//, '')).replace(/\/$/, '');
  const route = routes.find((candidate) => candidate.path.test(path));
  if (!route) throw new DashscopeError('NotFound');
  return { route, taskId: route.path.exec(path)?.[1] ?? '' };
}

/** @throws DashscopeError when the route does not take the method */
function operationOf({ methods }: Route, httpMethod: string): Operation {
  // The gateway drops the body of a response to HEAD.
  const method = httpMethod === 'HEAD' ? 'GET' : httpMethod;
  const operation = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (operation) return operation;
  const allow = allowOf(methods);
  throw new DashscopeError('MethodNotAllowed', `The route does not take this method. It takes ${allow}.`, { allow });
}

const allowOf = (methods: Route['methods']): string =>
  [...Object.keys(methods), ...('GET' in methods ? ['HEAD'] : []), 'OPTIONS'].sort().join(', ');

/** Needs no caller: a browser sends no key with a preflight request. @throws DashscopeError for an unknown path */
function optionsOf(request: DashscopeRequest): APIGatewayProxyResult {
  const allow = allowOf(routeOf(request).route.methods);
  return { statusCode: 204, headers: { allow, 'cache-control': 'no-store' }, body: '' };
}

/** Below `/api/v1/`, without a last slash; what is in brackets is a task's id. */
const routes: readonly { path: RegExp; methods: Readonly<Record<string, Operation>> }[] = [
  { path: /^services\/aigc\/video-generation\/video-synthesis$/, methods: { POST: createTask } },
  { path: /^tasks$/, methods: { GET: listTasks } },
  { path: /^tasks\/([^/]+)$/, methods: { GET: queryTask } },
  { path: /^tasks\/([^/]+)\/cancel$/, methods: { POST: cancelTask } },
  { path: /^uploads$/, methods: { GET: getUploadPolicy, POST: receiveUpload } },
];
