import type { APIGatewayProxyResult } from 'aws-lambda';
import type { ApiRequest, Caller } from './http.ts';

/** Answers the requests of one route. @throws Problem */
export type Route<Services> = (
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
