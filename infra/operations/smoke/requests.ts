import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';

/** Calls a route of the API. @param route without a slash at its beginning, unless a double slash is meant */
export type CallApi = (route: string, init?: { method?: string; body?: string }) => Promise<ApiAnswer>;

export interface ApiAnswer {
  status: number;
  headers: Headers;
  /** The parsed JSON body; `{}` for any other. */
  body: Record<string, unknown>;
}

/** The header that authenticates, or with `auth: iam` the client whose credentials sign. */
export type Authentication = { authorization: string } | { signer: Pick<CloudFormationClient, 'config'> };

/** @param apiUrl the output ApiUrl */
export function createApiCaller(
  apiUrl: string,
  authentication: Authentication,
  fetch: typeof globalThis.fetch,
): CallApi {
  const base = apiUrl.replace(/\/?$/, '/');
  return async (route, { method = 'GET', body } = {}) => {
    const url = new URL(base + route);
    const content = { 'content-type': 'application/json' };
    const headers =
      'authorization' in authentication
        ? { ...content, ...authentication }
        : await signed(authentication.signer, url, { method, headers: content, body });
    const response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(60_000),
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : {} };
  };
}

async function signed(
  { config }: Pick<CloudFormationClient, 'config'>,
  url: URL,
  { method, headers, body }: { method: string; headers: Record<string, string>; body: string | undefined },
): Promise<Record<string, string>> {
  const region = await config.region();
  const signer = await config.signer({
    name: 'sigv4',
    signingName: 'execute-api',
    signingRegion: region,
    properties: {},
  });
  const request = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { ...headers, host: url.host },
    ...(body === undefined ? {} : { body }),
  });
  const { host, ...sent } = request.headers;
  return sent;
}

/** Polls until a value is there. @returns undefined when the time is over */
export async function poll<Value>(
  read: () => Promise<Value | undefined>,
  { seconds, every }: { seconds: number; every: number },
): Promise<Value | undefined> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await read();
    if (value !== undefined || Date.now() >= end) return value;
    await sleep(every * 1000);
  }
}
