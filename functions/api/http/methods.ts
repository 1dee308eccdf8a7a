import type { APIGatewayProxyResult } from 'aws-lambda';
import { ProblemError } from '../../shared/problem.ts';
import { problemResponse } from './handler.ts';
import type { ApiRequest } from './request.ts';

/** The methods of each route, by its path in the API, such as `/videos/{id}`. */
export type RouteMethods = Readonly<Record<string, readonly string[]>>;

/**
 * Answers the methods that a route does not have. API Gateway cannot tell an unknown method from an unknown path, so each path has an
 * `ANY` that ends here: OPTIONS is a 204, every other method a 405, both with `Allow`.
 * @throws Error when the API sends a route that is not in `methods`: a fault of the stack
 */
export function answerOtherMethod(methods: RouteMethods, request: ApiRequest): APIGatewayProxyResult {
  const { resource, httpMethod, requestContext } = request;
  const allow = methods[resource]?.join(', ');
  if (allow === undefined) throw new Error(`The methods of the route ${resource} are not known.`);
  if (httpMethod === 'OPTIONS') return { statusCode: 204, headers: { allow, 'cache-control': 'no-store' }, body: '' };
  const problem = {
    code: 'method_not_allowed',
    title: 'The route does not take this method.',
    detail: `It takes ${allow}. Use one of them, or check the path.`,
  };
  return problemResponse(new ProblemError(405, problem, { allow }), requestContext.requestId);
}
