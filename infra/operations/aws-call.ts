import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';

/** Calls a service for which this project has no client. Returns the response's body. @throws AwsCallError */
export type AwsCall = (request: AwsRequest) => Promise<string>;

/** A request of the JSON protocol, or with `action` one of the older query protocol. */
export type AwsRequest = { service: string } & (
  | { target: string; input: object; action?: never }
  | { action: string; version: string; target?: never }
);

/** An error response. Its name is AWS's error code. */
export class AwsCallError extends Error {
  constructor(code: string, message: string) {
    super(message);
    this.name = code;
  }
}

/** @param client whose region, credentials and signer are used */
export function createAwsCall(
  { config }: Pick<CloudFormationClient, 'config'>,
  { AWS_ENDPOINT_URL }: NodeJS.ProcessEnv,
  fetch: typeof globalThis.fetch,
): AwsCall {
  return async ({ service, target, ...request }) => {
    const region = await config.region();
    const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
    const url = new URL(AWS_ENDPOINT_URL ?? `https://${service}.${region}.${suffix}`);
    const isJson = 'input' in request;
    const body = isJson
      ? JSON.stringify(request.input)
      : new URLSearchParams({ Action: request.action, Version: request.version }).toString();
    const signer = await config.signer({
      name: 'sigv4',
      signingName: service,
      signingRegion: region,
      properties: {},
    });
    const { headers } = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port ? { port: Number(url.port) } : {}),
      path: '/',
      query: {},
      headers: {
        host: url.host,
        'content-type': isJson ? 'application/x-amz-json-1.1' : 'application/x-www-form-urlencoded',
        ...(target ? { 'x-amz-target': target } : {}),
      },
      body,
    });
    const { host, ...sent } = headers;
    const response = await fetch(url, { method: 'POST', headers: sent, body, signal: AbortSignal.timeout(20_000) });
    const text = await response.text();
    if (response.ok) return text;
    const code = /"__type" *: *"(?:[^"#]*#)?([^"]+)"|<Code>([^<]+)</.exec(text);
    const message = /"[Mm]essage" *: *"([^"]*)"|<Message>([^<]+)</.exec(text);
    throw new AwsCallError(code?.[1] ?? code?.[2] ?? `Http${response.status}`, message?.[1] ?? message?.[2] ?? service);
  };
}
