import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Lambda } from '../lambda/lambda.ts';
import type { ApiDefinition, MethodDefinition } from './api-definition.ts';
import { createAuthorizer } from './authorizer.ts';
import { createGatewayResponses, type Fault, faults } from './gateway-responses.ts';
import { readProxyAnswer } from './proxy-answer.ts';
import { type EventSource, proxyEvent } from './proxy-event.ts';
import { type ApiRequest, header, headerBytes, headerPairs, largestHeaderBytes, readBody } from './request.ts';
import type { ApiResponse } from './response.ts';
import { createRouter } from './routes.ts';
import { createThrottle } from './throttle.ts';

export interface ApiGatewayOptions {
  api: ApiDefinition;
  lambda: Pick<Lambda, 'invoke'>;
  clock: Clock;
}

/** The template's REST API over plain HTTP. Its routes lie at the root; the stage is in `requestContext` only. */
export interface ApiGateway {
  /** Never rejects: what goes wrong is answered as the service does. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>;
}

/** @throws Error that names what in the API's definition the local runtime does not know */
export function createApiGateway({ api, lambda, clock }: ApiGatewayOptions): ApiGateway {
  const route = createRouter(api.methods);
  const shape = createGatewayResponses(api.gateway_responses);
  const allowed = createThrottle(api.method_settings, clock.now);
  const authorizers = new Map(
    api.methods
      .flatMap(({ authorizer }) => authorizer ?? [])
      .map((definition) => [definition.id, createAuthorizer(definition, { lambda, clock })]),
  );

  const integrate = async (
    source: EventSource,
    context: Record<string, string> | undefined,
  ): Promise<ApiResponse | Fault> => {
    const { method } = source.route;
    const payload = JSON.stringify(proxyEvent(source, context));
    const outcome = await withinTimeout(lambda.invoke(method.function_arn, payload), method, clock).catch(
      (error: Error) =>
        error.name === 'RequestTooLargeException' ? faults.requestTooLarge : faults.integrationFailure,
    );
    if ('response_type' in outcome) return outcome;
    if ('error' in outcome) return faults.malformedAnswer;
    const { binary_media_types } = api;
    return (
      readProxyAnswer(outcome.payload, { accept: header(source.request, 'accept'), binary_media_types }) ??
      faults.malformedAnswer
    );
  };
  const answer = async (request: ApiRequest): Promise<ApiResponse> => {
    const match = route(request.http_method, request.path);
    const reject = (fault: Fault) => shape(fault, { api, request, resource_path: match?.method.resource_path ?? '' });
    if (!match) return reject(faults.missingToken);
    if (!allowed(match.method)) return reject(faults.throttled);
    const source = { api, request, route: match };
    const authorize = authorizers.get(match.method.authorizer?.id ?? '');
    const authorization = authorize && (await authorize(source));
    if (authorization && 'fault' in authorization) return reject(authorization.fault);
    const result = await integrate(source, authorization?.context);
    return 'response_type' in result ? reject(result) : result;
  };

  return {
    async handle(incoming, outgoing) {
      const request = readRequest(incoming, clock.now());
      const reject = (fault: Fault) => shape(fault, { api, request, resource_path: '' });
      const respond = async (): Promise<ApiResponse> => {
        if (headerBytes(incoming) > largestHeaderBytes) return reject(faults.headersTooLarge);
        const body = await readBody(incoming);
        return body ? answer({ ...request, body }) : reject(faults.requestTooLarge);
      };
      const response = await respond().catch((error: unknown) => {
        // The client went away while it was sending; there is nobody to answer.
        if (incoming.errored) return undefined;
        console.error(error);
        return reject(faults.integrationFailure);
      });
      if (response) write(response, request, outgoing);
    },
  };
}

function readRequest(incoming: IncomingMessage, received_at: number): ApiRequest {
  const [path = '/', query = ''] = (incoming.url ?? '/').split(/\?(.*)/s);
  return {
    request_id: randomUUID(),
    received_at,
    http_method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: headerPairs(incoming),
    source_ip: incoming.socket.remoteAddress ?? '',
    protocol: `HTTP/${incoming.httpVersion}`,
    body: Buffer.alloc(0),
  };
}

async function withinTimeout<Result>(
  work: Promise<Result>,
  method: MethodDefinition,
  clock: Clock,
): Promise<Result | Fault> {
  let cancel = () => {};
  const timeout = new Promise<Fault>((late) => {
    cancel = clock.after(method.integration_timeout_milliseconds, () => late(faults.integrationTimeout));
  });
  return Promise.race([work, timeout]).finally(() => cancel());
}

function write(response: ApiResponse, request: ApiRequest, outgoing: ServerResponse): void {
  const headers = new Map<string, { name: string; values: string[] }>();
  const own = [
    ['x-amzn-RequestId', request.request_id],
    ['Content-Length', String(response.body.length)],
  ] as const;
  for (const [name, value] of [
    ...response.headers.filter(([name]) => name.toLowerCase() !== 'content-length'),
    ...own,
  ]) {
    const entry = headers.get(name.toLowerCase()) ?? { name, values: [] };
    entry.values.push(value);
    headers.set(name.toLowerCase(), entry);
  }
  outgoing.statusCode = response.status;
  for (const { name, values } of headers.values()) outgoing.setHeader(name, values.length === 1 ? values[0]! : values);
  outgoing.end(request.http_method === 'HEAD' ? undefined : response.body);
}
