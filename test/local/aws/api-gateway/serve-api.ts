import { request as httpRequest, type IncomingHttpHeaders, type ServerOptions } from 'node:http';
import { onTestFinished } from 'vitest';
import type {
  ApiDefinition,
  AuthorizerDefinition,
  MethodDefinition,
} from '../../../../local/aws/api-gateway/api-definition.ts';
import { createApiGateway } from '../../../../local/aws/api-gateway/api-gateway.ts';
import { serverOptions } from '../../../../local/aws/api-gateway/server-options.ts';
import { createKeyring, roleAccessKey } from '../../../../local/aws/endpoint/access-keys.ts';
import type { Outcome } from '../../../../local/aws/lambda/function-definition.ts';
import { listen } from '../../../../local/aws/listen.ts';
import { ServiceError } from '../../../../local/aws/service-error.ts';
import { manualClock } from '../support.ts';

export type Handler = (event: Record<string, unknown>) => unknown;

/** A GET method whose integration runs `handler`. */
export const method = (resource_path: string, overrides: Partial<MethodDefinition> = {}): MethodDefinition => ({
  resource_path,
  http_method: 'GET',
  function_arn: 'handler',
  integration_timeout_milliseconds: 29_000,
  ...overrides,
});
export const authorizer: AuthorizerDefinition = {
  id: 'Authorizer',
  function_arn: 'authorize',
  identity_sources: ['method.request.header.Authorization'],
  result_ttl_seconds: 60,
};
export const allow = (context: object = { owner: 'ann', admin: true }, resource = '*') => ({
  principalId: 'ann',
  policyDocument: { Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: resource }] },
  context,
});

/** A function's role, which has an access key. */
export const aRole = 'arn:aws:iam::000000000000:role/main';

/** Serves an API with plain functions in place of Lambda functions. */
export async function serve(
  api: Partial<ApiDefinition>,
  functions: Record<string, Handler> = {},
  options: ServerOptions = {},
) {
  const clock = manualClock();
  const events: Record<string, unknown>[] = [];
  const invoke = async (reference: string, payload: string): Promise<Outcome & { request_id: string }> => {
    const event = JSON.parse(payload);
    events.push(event);
    const run = functions[reference] ?? (() => ({ statusCode: 200, body: 'ok' }));
    try {
      return { payload: JSON.stringify((await run(event)) ?? null), request_id: 'r' };
    } catch (error) {
      if (error instanceof ServiceError) throw error;
      return { error: { errorType: 'Error', errorMessage: (error as Error).message }, request_id: 'r' };
    }
  };
  const gateway = createApiGateway({
    api: {
      api_id: 'api',
      stage_name: 'v1',
      domains: [],
      binary_media_types: [],
      methods: [method('/videos')],
      gateway_responses: [],
      method_settings: [],
      ...api,
    },
    lambda: { invoke },
    clock,
    accessKey: createKeyring([roleAccessKey(aRole)]),
  });
  const listener = await listen(0, 'PORT', { ...serverOptions, ...options });
  onTestFinished(() => listener.close());
  listener.serve(gateway.handle, gateway.handleInvalidRequest);
  const { port } = new URL(listener.url);
  const send = (
    path: string,
    options: { method?: string; headers?: Record<string, string | string[]>; body?: string | Buffer } = {},
  ) =>
    new Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer; json: () => Record<string, unknown> }>(
      (resolve, reject) => {
        const outgoing = httpRequest(
          { port, host: '127.0.0.1', path, method: options.method ?? 'GET', headers: options.headers ?? {} },
          async (incoming) => {
            const chunks: Buffer[] = [];
            for await (const chunk of incoming) chunks.push(chunk as Buffer);
            const body = Buffer.concat(chunks);
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body,
              json: () => JSON.parse(body.toString()),
            });
          },
        );
        outgoing.on('error', reject);
        outgoing.end(options.body);
      },
    );
  return { send, events, clock, port: Number(port) };
}
