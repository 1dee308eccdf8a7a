import { type AuthorizationType, type IAuthorizer, LambdaIntegration, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { RouteMethods } from '../../functions/api/http/methods.ts';
import { acknowledge, justify } from '../functions/acknowledge.ts';
import type { ApiFunctions } from './api-functions.ts';

/**
 * Who may use a route: an authenticated caller, the holder of an upload token, or anyone, with the reason why that is safe: the route
 * returns the same to everyone, or its path contains a credential. A route
 * without an access does not compile.
 */
type RouteAccess = 'caller' | 'upload token' | { readonly publicBecause: string };

/** How a request is authorized: by an authorizer of the API, or by its signature. */
export interface RouteAuthorization {
  readonly authorizationType: AuthorizationType;
  readonly authorizer?: IAuthorizer;
}

export type RouteAuthorizations = Readonly<Record<Extract<RouteAccess, string>, RouteAuthorization>>;

interface Route {
  /** `GET` also adds HEAD, which every handler answers like GET: the gateway drops the body. */
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'ANY';
  readonly path: string;
  readonly handler: keyof ApiFunctions;
  readonly authorization: RouteAccess;
}

const route = (
  method: Route['method'],
  path: string,
  handler: Route['handler'],
  authorization: RouteAccess,
): Route => ({
  method,
  path,
  handler,
  authorization,
});

const fileLink = {
  publicBecause:
    'The path contains a signed token for one video, which the function checks; it expires after 24 hours.',
};

const preflight = {
  publicBecause: 'Answers OPTIONS and unknown methods with the methods of the path, which the contract lists.',
} as const;

/** The routes of the API, with their functions and who may use them. `addRoutes` adds those that answer all other methods. */
const routes: readonly Route[] = [
  route('POST', '/videos', 'submit', 'caller'),
  route('GET', '/videos', 'videos', 'caller'),
  route('GET', '/videos/{id}', 'videos', 'caller'),
  route('GET', '/videos/{id}/content', 'videos', 'caller'),
  route('POST', '/videos/{id}/cancel', 'actions', 'caller'),
  route('POST', '/videos/{id}/retry', 'actions', 'caller'),
  route('DELETE', '/videos/{id}', 'actions', 'caller'),
  route('POST', '/videos/{id}/extend', 'submit', 'caller'),
  route('POST', '/videos/{id}/variations', 'submit', 'caller'),
  route('GET', '/videos/{id}/deliveries', 'webhooks', 'caller'),
  route('POST', '/videos/{id}/deliveries/{sequence}/redeliver', 'webhooks', 'caller'),
  route('PUT', '/webhook', 'webhooks', 'caller'),
  route('GET', '/webhook', 'webhooks', 'caller'),
  route('DELETE', '/webhook', 'webhooks', 'caller'),
  route('POST', '/webhook/secret', 'webhooks', 'caller'),
  route('POST', '/webhook/test', 'webhooks', 'caller'),
  route('GET', '/usage', 'videos', 'caller'),
  route('POST', '/uploads', 'uploads', 'caller'),
  route('GET', '/models', 'catalogue', 'caller'),
  route('GET', '/models/{name}/schema', 'catalogue', 'caller'),
  route('POST', '/estimates', 'catalogue', 'caller'),

  // Wan's own protocol, which answers unknown methods itself. An upload form carries no API key, but a token that its sender received
  // with the key.
  route('ANY', '/api/v1/{proxy+}', 'dashscope', 'caller'),
  route('OPTIONS', '/api/v1/{proxy+}', 'dashscope', preflight),
  route('ANY', '/api/v1/uploads', 'dashscope', 'caller'),
  route('OPTIONS', '/api/v1/uploads', 'dashscope', preflight),
  route('POST', '/api/v1/uploads', 'dashscope', 'upload token'),
  route('GET', '/api/v1/files/{file}', 'dashscope', fileLink),

  route('GET', '/health', 'health', {
    publicBecause: 'Reports only that the service is up, to monitors without a key.',
  }),
  route('GET', '/openapi.json', 'contract', {
    publicBecause: 'The OpenAPI document, which is the same for everyone and for every deployment.',
  }),
  route('GET', '/docs', 'contract', {
    publicBecause: 'A page that shows the OpenAPI document and is the same for everyone.',
  }),
  route('GET', '/', 'console', {
    publicBecause: 'A page that is the same for everyone: its user enters a key, with which it calls the other routes.',
  }),
];

/** The methods of each path for `Allow`, by the path. Routes of Wan's protocol have an `ANY` and know theirs. */
export const routeMethods: RouteMethods = Object.fromEntries(
  pathsWithoutAny(routes).map((path) => {
    const own = routes.filter((candidate) => candidate.path === path).flatMap(({ method }) => wireMethods(method));
    return [path, [...own, 'OPTIONS'].sort()];
  }),
);

/** Adds the routes whose functions this deployment has, and to each path what answers its other methods. */
export function addRoutes(restApi: RestApi, functions: ApiFunctions, authorizations: RouteAuthorizations): void {
  // There are no models, so this validates only the declared parameters; the functions validate bodies.
  const requestValidator = restApi.addRequestValidator('RequestValidator', {
    validateRequestBody: true,
    validateRequestParameters: true,
  });
  const offered = routes.filter(({ handler }) => functions[handler]);
  for (const { method, path, handler, authorization } of [...offered, ...otherMethods(offered)]) {
    const integration = new LambdaIntegration(functions[handler]!.live, {
      // One permission for each function, which covers the stages and methods of this API only.
      scopePermissionToMethod: false,
    });
    for (const httpMethod of wireMethods(method)) {
      const added = restApi.root.resourceForPath(path).addMethod(httpMethod, integration, {
        requestValidator,
        requestParameters: pathParameters(path),
        ...(typeof authorization === 'string' ? authorizations[authorization] : {}),
      });
      if (typeof authorization === 'string') continue;
      acknowledge(added, 'APIG4', authorization.publicBecause);
      // Checkov expects no authorization of OPTIONS.
      if (httpMethod !== 'OPTIONS') justify(added, 'CKV_AWS_59', authorization.publicBecause);
    }
  }
}

/**
 * The routes that answer the methods that a path does not have. They need no key: a browser sends none with a preflight request (OPTIONS),
 * and a 405 names only the methods that the contract lists.
 */
function otherMethods(offered: readonly Route[]): Route[] {
  return pathsWithoutAny(offered).map((path) => route('ANY', path, 'contract', preflight));
}

function pathsWithoutAny(all: readonly Route[]): string[] {
  const hasAny = (path: string) => all.some((candidate) => candidate.path === path && candidate.method === 'ANY');
  return [...new Set(all.map(({ path }) => path))].filter((path) => !hasAny(path));
}

/** The HTTP methods of a route. */
function wireMethods(method: Route['method']): Route['method'][] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method];
}

/** `/videos/{id}` → `{'method.request.path.id': true}` */
function pathParameters(path: string): Record<string, boolean> {
  const names = [...path.matchAll(/\{(\w+)\+?\}/g)].map(([, name]) => name!);
  return Object.fromEntries(names.map((name) => [`method.request.path.${name}`, true]));
}
