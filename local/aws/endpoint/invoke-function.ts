import type { IncomingMessage } from 'node:http';
import type { Lambda } from '../lambda/lambda.ts';
import { readBody } from './read-body.ts';
import type { AwsCall } from './recorded-calls.ts';
import { type CallerServices, verifyCaller } from './verify-signature.ts';

interface InvokeServices extends CallerServices {
  lambda: Lambda;
  recordCall(call: AwsCall): void;
}

/** Lambda's Invoke over HTTP, waiting or as an event. @throws ServiceError */
export async function invokeFunction(
  reference: string,
  request: IncomingMessage,
  services: InvokeServices,
): Promise<{ status: number; headers?: Record<string, string>; body: string }> {
  const body = await readBody(request);
  const { principal } = verifyCaller(request, body, services);
  const { lambda } = services;
  const resource = lambda.find(reference).arn;
  services.recordCall({ at: services.now(), principal, action: 'lambda:InvokeFunction', resource });
  const payload = body.length === 0 ? '{}' : body.toString('utf8');
  if (request.headers['x-amz-invocation-type'] === 'Event') {
    await lambda.accept(reference, payload);
    return { status: 202, body: '' };
  }
  const outcome = await lambda.invoke(reference, payload);
  const common = { 'content-type': 'application/json', 'x-amz-executed-version': '$LATEST' };
  if ('payload' in outcome) return { status: 200, headers: common, body: outcome.payload };
  return {
    status: 200,
    headers: { ...common, 'x-amz-function-error': 'Unhandled' },
    body: JSON.stringify(outcome.error),
  };
}
