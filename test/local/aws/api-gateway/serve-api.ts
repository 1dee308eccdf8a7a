import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type {
  ApiDefinition,
  AuthorizerDefinition,
  MethodDefinition,
} from '../../../../local/aws/api-gateway/api-definition.ts';
import { createApiGateway } from '../../../../local/aws/api-gateway/api-gateway.ts';
import type { Outcome } from '../../../../local/aws/lambda/function-definition.ts';
import { ServiceError } from '../../../../local/aws/service-error.ts';
import { manualClock } from '../support.ts';

export type Handler = (event: Record<string, unknown>) => unknown;

/** A GET behind which `handler` runs. */
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

/** Serves an API whose functions are given as plain functions. */
export async function serve(api: Partial<ApiDefinition>, functions: Record<string, Handler> = {}) {
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
      binary_media_types: [],
      methods: [method('/videos')],
      gateway_responses: [],
      method_settings: [],
      ...api,
    },
    lambda: { invoke },
    clock,
  });
  const server = createServer((incoming, outgoing) => void gateway.handle(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
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
  return { send, events, clock };
}
