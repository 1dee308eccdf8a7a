import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { AccessKey } from '../endpoint/access-keys.ts';
import type { Lambda } from '../lambda/lambda.ts';
import type { Refusal, Unreadable } from '../unreadable.ts';
import type { ApiDefinition, MethodDefinition } from './api-definition.ts';
import { createAuthorizer } from './authorizer.ts';
import { createGatewayResponses, type Fault, faults } from './gateway-responses.ts';
import { readProxyAnswer } from './proxy-answer.ts';
import { type CallerContext, type EventSource, proxyEvent } from './proxy-event.ts';
import {
  type ApiRequest,
  header,
  headerBytes,
  isWellFormed,
  largestHeaderBytes,
  readBody,
  readHead,
} from './request.ts';
import type { ApiResponse } from './response.ts';
import { createRouter } from './routes.ts';
import { signedCaller } from './signed-caller.ts';
import { createThrottle } from './throttle.ts';

export interface ApiGatewayOptions {
  api: ApiDefinition;
  lambda: Pick<Lambda, 'invoke'>;
  clock: Clock;
  accessKey(accessKeyId: string): AccessKey | undefined;
}

/** The template's REST API over plain HTTP. Its routes lie at the root, as with a domain of one's own. */
export interface ApiGateway {
  /** Never rejects: what goes wrong is answered as the service does. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>;
  /** The answer to what is no request that can be handled. */
  refuse: Refusal;
}

const unreadable: Record<Unreadable, Fault> = {
  'headers too large': faults.headersTooLarge,
  'too slow': faults.requestTimeout,
  expectation: faults.expectationFailed,
  malformed: faults.badRequest,
};

/** @throws Error that names what in the API's definition the local runtime does not know */
export function createApiGateway({ api, lambda, clock, accessKey }: ApiGatewayOptions): ApiGateway {
  const route = createRouter(api.methods);
  const shape = createGatewayResponses(api.gateway_responses);
  const allowed = createThrottle(api.method_settings, clock.now);
  const authorizers = new Map(
    api.methods
      .flatMap(({ authorizer }) => authorizer ?? [])
      .map((definition) => [definition.id, createAuthorizer(definition, { lambda, clock })]),
  );

  const admit = async (source: EventSource): Promise<CallerContext | { fault: Fault }> => {
    const { method } = source.route;
    if (method.is_signed) return signedCaller(source.request, { accessKey, now: clock.now });
    const authorize = authorizers.get(method.authorizer?.id ?? '');
    if (!authorize) return {};
    const authorization = await authorize(source);
    return 'fault' in authorization ? authorization : { authorizer: authorization.context };
  };
  const integrate = async (source: EventSource, caller: CallerContext): Promise<ApiResponse | Fault> => {
    const { method } = source.route;
    const payload = JSON.stringify(proxyEvent(source, caller));
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
    const reject = (fault: Fault) => shape(fault, request);
    if (!match) return reject(faults.missingToken);
    if (!allowed(match.method)) return reject(faults.throttled);
    const source = { api, request, route: match };
    const caller = await admit(source);
    if ('fault' in caller) return reject(caller.fault);
    const result = await integrate(source, caller);
    return 'response_type' in result ? reject(result) : result;
  };

  return {
    async handle(incoming, outgoing) {
      const request = readHead(incoming, clock.now());
      const reject = (fault: Fault) => shape(fault, request);
      const respond = async (): Promise<ApiResponse> => {
        if (headerBytes(incoming) > largestHeaderBytes) return reject(faults.headersTooLarge);
        if (!isWellFormed(request)) return reject(faults.badRequest);
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
    refuse(reason) {
      const request_id = randomUUID();
      const { status, headers, body } = shape(unreadable[reason], { request_id });
      return { status, headers: [...headers, ['x-amzn-RequestId', request_id]], body };
    },
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
