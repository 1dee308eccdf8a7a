import { type AuthorizationType, type IAuthorizer, LambdaIntegration, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { acknowledge } from '../functions/acknowledge.ts';
import type { ApiFunctions } from './api-functions.ts';

/**
 * Who may use a route: a caller of this service; whoever holds the token of one upload folder; or anybody, with the reason why that is
 * safe. There is no fourth kind, and a route without a kind does not compile.
 */
type Admission = 'caller' | 'upload token' | { readonly publicBecause: string };

/** How a request is let in: by an authorizer of the API, or by its signature. */
export interface RouteAuthorization {
  readonly authorizationType: AuthorizationType;
  readonly authorizer?: IAuthorizer;
}

export type RouteAuthorizations = Readonly<Record<Extract<Admission, string>, RouteAuthorization>>;

interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'ANY';
  readonly path: string;
  readonly to: keyof ApiFunctions;
  readonly authorization: Admission;
}

const route = (method: Route['method'], path: string, to: Route['to'], authorization: Admission): Route => ({
  method,
  path,
  to,
  authorization,
});

/** What the API answers, where, and to whom. */
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

  // The reference's own protocol. A form that uploads a file carries no key: it holds what its sender was given with the key.
  route('ANY', '/api/v1/{proxy+}', 'dashscope', 'caller'),
  route('GET', '/api/v1/uploads', 'dashscope', 'caller'),
  route('POST', '/api/v1/uploads', 'dashscope', 'upload token'),

  route('GET', '/health', 'health', {
    publicBecause: 'Tells that the service is up and nothing else, to monitors that have no key.',
  }),
  route('GET', '/openapi.json', 'contract', {
    publicBecause: 'A description of the API that is the same for everybody and for every deployment.',
  }),
  route('GET', '/docs', 'contract', {
    publicBecause: 'A page that is the same for everybody: it shows the description of the API.',
  }),
  route('GET', '/', 'console', {
    publicBecause: 'A page that is the same for everybody: it asks for a key and calls the other routes with it.',
  }),
];

/** Adds the routes to the API: all whose function this deployment has. */
export function addRoutes(restApi: RestApi, functions: ApiFunctions, gatekeepers: RouteAuthorizations): void {
  // Without models it checks the parameters that a method names, and leaves bodies to the functions.
  const requestValidator = restApi.addRequestValidator('RequestValidator', {
    validateRequestBody: true,
    validateRequestParameters: true,
  });
  for (const { method, path, to, authorization } of routes) {
    const step = functions[to];
    if (!step) continue;
    const integration = new LambdaIntegration(step.live, { allowTestInvoke: false });
    const added = restApi.root.resourceForPath(path).addMethod(method, integration, {
      requestValidator,
      requestParameters: pathParameters(path),
      ...(typeof authorization === 'string' ? gatekeepers[authorization] : {}),
    });
    if (typeof authorization === 'object') acknowledge(added, 'APIG4', authorization.publicBecause);
  }
}

/** `/videos/{id}` → `{'method.request.path.id': true}` */
function pathParameters(path: string): Record<string, boolean> {
  const names = [...path.matchAll(/\{(\w+)\+?\}/g)].map(([, name]) => name!);
  return Object.fromEntries(names.map((name) => [`method.request.path.${name}`, true]));
}
