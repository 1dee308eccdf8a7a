import type { APIGatewayProxyResult } from 'aws-lambda';
import { type ApiRequest, headerValues } from './request.ts';

/** Origins whose pages may call the API, or `*` for all. Empty: none. */
export type CorsOrigins = readonly string[];

/**
 * Adds the CORS headers that the request's `Origin` may have, to every response of a handler and to preflight responses (OPTIONS).
 * Callers authenticate with a header, not with cookies, so a page gains nothing that its own key does not permit.
 */
export const withCors =
  <Request extends Pick<ApiRequest, 'httpMethod' | 'headers' | 'multiValueHeaders'>>(
    origins: CorsOrigins,
    respond: (request: Request) => Promise<APIGatewayProxyResult>,
  ) =>
  async (request: Request): Promise<APIGatewayProxyResult> => {
    const response = await respond(request);
    const headers = { ...response.headers };
    // Every page may read the contract, also with other origins in the setting.
    if (origins.length === 0 || headers['access-control-allow-origin'] !== undefined) return response;
    return { ...response, headers: { ...headers, ...corsHeaders(origins, request, headers) } };
  };

function corsHeaders(
  origins: CorsOrigins,
  request: Pick<ApiRequest, 'httpMethod' | 'headers' | 'multiValueHeaders'>,
  { vary, allow }: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const [origin = '', ...others] = headerValues(request, 'origin');
  const isForAll = origins.includes('*');
  const caching: Record<string, string> = isForAll ? {} : { vary: vary === undefined ? 'Origin' : `${vary}, Origin` };
  if (!isForAll && (others.length > 0 || !origins.includes(origin))) return caching;
  const granted = {
    ...caching,
    'access-control-allow-origin': isForAll ? '*' : origin,
    'access-control-expose-headers': '*',
  };
  if (request.httpMethod !== 'OPTIONS') return granted;
  return {
    ...granted,
    'access-control-allow-methods': String(allow ?? ''),
    // The asterisk does not cover Authorization.
    'access-control-allow-headers': 'Authorization, *',
    'access-control-max-age': '7200',
  };
}
