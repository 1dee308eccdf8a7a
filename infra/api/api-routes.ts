import { type AuthorizationType, type IAuthorizer, LambdaIntegration, type RestApi } from 'aws-cdk-lib/aws-apigateway';
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
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE' | 'ANY';
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

/** The routes of the API, with their functions and who may use them. */
const routes: readonly Route[] = [
  route('POST', '/videos', 'submit', 'caller'),
  route('GET', '/videos', 'videos', 'caller'),
  route('GET', '/videos/{id}', 'videos', 'caller'),
  route('GET', '/videos/{id}/content', 'videos', 'caller'),
  route('POST', '/videos/{id}/cancel', 'actions', 'caller'),
  route('POST', '/videos/{id}/retry', 'actions', 'caller'),
  route('DELETE', '/videos/{id}', 'actions', 'caller'),
  route('GET', '/usage', 'videos', 'caller'),
  route('POST', '/uploads', 'uploads', 'caller'),
  route('GET', '/models', 'catalogue', 'caller'),
  route('POST', '/estimates', 'catalogue', 'caller'),

  // Wan's own protocol. An upload form carries no API key, but a token that its sender received with the key.
  route('ANY', '/api/v1/{proxy+}', 'dashscope', 'caller'),
  route('GET', '/api/v1/uploads', 'dashscope', 'caller'),
  route('POST', '/api/v1/uploads', 'dashscope', 'upload token'),
  route('GET', '/api/v1/files/{file}', 'dashscope', fileLink),
  route('HEAD', '/api/v1/files/{file}', 'dashscope', fileLink),

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

/** Adds the routes whose functions this deployment has. */
export function addRoutes(restApi: RestApi, functions: ApiFunctions, authorizations: RouteAuthorizations): void {
  // There are no models, so this validates only the declared parameters; the functions validate bodies.
  const requestValidator = restApi.addRequestValidator('RequestValidator', {
    validateRequestBody: true,
    validateRequestParameters: true,
  });
  for (const { method, path, handler, authorization } of routes) {
    const target = functions[handler];
    if (!target) continue;
    const integration = new LambdaIntegration(target.live, { allowTestInvoke: false });
    const added = restApi.root.resourceForPath(path).addMethod(method, integration, {
      requestValidator,
      requestParameters: pathParameters(path),
      ...(typeof authorization === 'string' ? authorizations[authorization] : {}),
    });
    if (typeof authorization === 'string') continue;
    acknowledge(added, 'APIG4', authorization.publicBecause);
    justify(added, 'CKV_AWS_59', authorization.publicBecause);
  }
}

/** `/videos/{id}` → `{'method.request.path.id': true}` */
function pathParameters(path: string): Record<string, boolean> {
  const names = [...path.matchAll(/\{(\w+)\+?\}/g)].map(([, name]) => name!);
  return Object.fromEntries(names.map((name) => [`method.request.path.${name}`, true]));
}
