import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { AccessKey } from '../endpoint/access-keys.ts';
import type { InvalidRequestHandler } from '../invalid-requests.ts';
import type { Lambda } from '../lambda/lambda.ts';
import { readBody } from '../read-body.ts';
import type { ApiDefinition, MethodDefinition } from './api-definition.ts';
import { createAuthorizer } from './authorizer.ts';
import { packResponse, unpackBody } from './compression.ts';
import { createGatewayResponses, GatewayError, gatewayErrors } from './gateway-responses.ts';
import { authorizeIam } from './iam-authorization.ts';
import { type CallerContext, type ProxyRequest, proxyEvent } from './proxy-event.ts';
import { readProxyResponse } from './proxy-response.ts';
import {
  type ApiRequest,
  header,
  headerBytes,
  isWellFormed,
  maxBodyBytes,
  maxHeaderBytes,
  readHead,
} from './request.ts';
import type { ApiResponse } from './response.ts';
import { createRouter } from './routes.ts';
import { createThrottle } from './throttle.ts';

export interface ApiGatewayOptions {
  api: ApiDefinition;
  lambda: Pick<Lambda, 'invoke'>;
  clock: Clock;
  accessKey(accessKeyId: string): AccessKey | undefined;
}

/**
 * The template's REST API over plain HTTP. The routes are at the root; for a host with a custom domain name of the template, below the
 * base path of its mapping.
 */
export interface ApiGateway {
  /** Never rejects. Responds to errors as API Gateway does. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>;
  /** Responds to requests that Node's parser rejects. */
  handleInvalidRequest: InvalidRequestHandler;
}

/** @throws Error that names an unsupported part of the API's definition */
export function createApiGateway({ api, lambda, clock, accessKey }: ApiGatewayOptions): ApiGateway {
  const findRoute = createRouter(api.methods);
  const errorResponse = createGatewayResponses(api.gateway_responses);
  const isWithinRate = createThrottle(api.method_settings, clock.now);
  const authorizers = new Map(
    api.methods
      .flatMap(({ authorizer }) => authorizer ?? [])
      .map((definition) => [definition.id, createAuthorizer(definition, { lambda, clock })]),
  );

  const authorizeCaller = async (proxyRequest: ProxyRequest): Promise<CallerContext> => {
    const { method } = proxyRequest.route;
    if (method.requires_iam) return { identity: authorizeIam(proxyRequest.request, { accessKey, now: clock.now }) };
    const authorize = authorizers.get(method.authorizer?.id ?? '');
    return authorize ? { authorizer: await authorize(proxyRequest) } : {};
  };
  const invokeIntegration = async (proxyRequest: ProxyRequest, caller: CallerContext): Promise<ApiResponse> => {
    const { request, route } = proxyRequest;
    const invocation = lambda.invoke(route.method.function_arn, JSON.stringify(proxyEvent(proxyRequest, caller)));
    const outcome = await withTimeout(invocation, route.method, clock).catch((error: Error) => {
      if (error instanceof GatewayError) throw error;
      throw error.name === 'RequestTooLargeException'
        ? gatewayErrors.requestTooLarge
        : gatewayErrors.integrationFailure;
    });
    const { binary_media_types } = api;
    const response =
      'payload' in outcome &&
      readProxyResponse(outcome.payload, { accept: header(request, 'accept'), binary_media_types });
    if (!response) throw gatewayErrors.malformedProxyResponse;
    return response;
  };
  const respond = async (incoming: IncomingMessage, head: ApiRequest): Promise<ApiResponse> => {
    if (headerBytes(incoming) > maxHeaderBytes) throw gatewayErrors.headersTooLarge;
    if (!isWellFormed(head)) throw gatewayErrors.badRequest;
    const sent = await readBody(incoming, maxBodyBytes);
    if (!sent) throw gatewayErrors.requestTooLarge;
    const body = await unpackBody(head, sent);
    const path = pathWithin(api, head);
    if (path === undefined) throw gatewayErrors.forbidden;
    const route = findRoute(head.http_method, path);
    if (!route) throw gatewayErrors.missingToken;
    if (!isWithinRate(route.method)) throw gatewayErrors.throttled;
    const proxyRequest = { api, request: { ...head, body }, route, path };
    const response = await invokeIntegration(proxyRequest, await authorizeCaller(proxyRequest));
    return packResponse(api, head, response);
  };

  return {
    async handle(incoming, outgoing) {
      const head = readHead(incoming, clock.now());
      const response = await respond(incoming, head).catch((error: unknown) => {
        // The client has disconnected.
        if (incoming.errored) return undefined;
        if (error instanceof GatewayError) return errorResponse(error, head.request_id);
        console.error(error);
        return errorResponse(gatewayErrors.integrationFailure, head.request_id);
      });
      if (response) sendResponse(response, head, outgoing);
    },
    handleInvalidRequest(reason) {
      const requestId = randomUUID();
      const { status, headers, body } = errorResponse(gatewayErrors[reason], requestId);
      return { status, headers: [...headers, ['x-amzn-RequestId', requestId]], body };
    },
  };
}

/** Returns the path of a request within the API; undefined when its domain name has no mapping for it. */
function pathWithin({ domains }: ApiDefinition, { host, path }: ApiRequest): string | undefined {
  const domain = domains.find(({ name }) => name === host.replace(/:\d+$/, '').toLowerCase());
  if (!domain) return path;
  const { base_path } = domain;
  return path === base_path || path.startsWith(`${base_path}/`) ? path.slice(base_path.length) || '/' : undefined;
}

/** @throws GatewayError when the integration's timeout is over */
async function withTimeout<Result>(work: Promise<Result>, method: MethodDefinition, clock: Clock): Promise<Result> {
  let cancel = () => {};
  const timeout = new Promise<never>((_, reject) => {
    cancel = clock.after(method.integration_timeout_milliseconds, () => reject(gatewayErrors.integrationTimeout));
  });
  return Promise.race([work, timeout]).finally(() => cancel());
}

function sendResponse(response: ApiResponse, request: ApiRequest, outgoing: ServerResponse): void {
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) outgoing.appendHeader(name, value);
  outgoing.appendHeader('x-amzn-RequestId', request.request_id);
  outgoing.setHeader('Content-Length', response.body.length);
  outgoing.end(request.http_method === 'HEAD' ? undefined : response.body);
}
