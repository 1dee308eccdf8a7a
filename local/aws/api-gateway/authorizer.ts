import type { Clock } from '../clock.ts';
import type { Lambda } from '../lambda/lambda.ts';
import type { AuthorizerDefinition } from './api-definition.ts';
import { gatewayErrors } from './gateway-responses.ts';
import { evaluatePolicy } from './policy.ts';
import { authorizerEvent, methodArn, type ProxyRequest } from './proxy-event.ts';
import { type ApiRequest, header } from './request.ts';

interface AuthorizerResult {
  principal_id: string;
  policy: unknown;
  context: Record<string, string>;
}

/**
 * Creates a Lambda authorizer with its cache. A cached policy is evaluated again for each method.
 * @returns a function that returns the authorizer's context, and throws a GatewayError if the caller is not authorized
 */
export function createAuthorizer(
  definition: AuthorizerDefinition,
  { lambda, clock }: { lambda: Pick<Lambda, 'invoke'>; clock: Clock },
): (proxyRequest: ProxyRequest) => Promise<Record<string, string>> {
  const identitySources = definition.identity_sources.map(compileIdentitySource);
  const cache = new Map<string, { result: AuthorizerResult; expires_at: number }>();
  const cacheMilliseconds = definition.result_ttl_seconds * 1000;

  return async (proxyRequest) => {
    const identity = identitySources.map((read) => read(proxyRequest.request));
    // With a cache every identity source is required. Without one the function decides.
    if (cacheMilliseconds > 0 && identity.some((part) => !part)) throw gatewayErrors.unauthorized;
    const key = JSON.stringify(identity);
    const cached = cache.get(key);
    const cachedResult = cached && cached.expires_at > clock.now() ? cached.result : undefined;
    const startedAt = clock.now();
    const result = cachedResult ?? (await invokeAuthorizer(definition, proxyRequest, lambda));
    if (!cachedResult && cacheMilliseconds > 0) {
      for (const [cachedKey, { expires_at }] of cache) if (expires_at <= clock.now()) cache.delete(cachedKey);
      cache.set(key, { result, expires_at: clock.now() + cacheMilliseconds });
    }
    const decision = evaluatePolicy(result.policy, methodArn(proxyRequest));
    if (decision === 'malformed') throw gatewayErrors.authorizerConfiguration;
    if (decision === 'denied') throw gatewayErrors.accessDenied;
    const integrationLatency = String(clock.now() - startedAt);
    return { ...result.context, principalId: result.principal_id, integrationLatency };
  };
}

/** @throws GatewayError */
async function invokeAuthorizer(
  definition: AuthorizerDefinition,
  proxyRequest: ProxyRequest,
  lambda: Pick<Lambda, 'invoke'>,
): Promise<AuthorizerResult> {
  const outcome = await lambda
    .invoke(definition.function_arn, JSON.stringify(authorizerEvent(proxyRequest)))
    .catch(() => undefined);
  if (!outcome) throw gatewayErrors.authorizerFailure;
  // An authorizer denies access with exactly this message. Any other error is a failure.
  if ('error' in outcome)
    throw outcome.error.errorMessage === 'Unauthorized' ? gatewayErrors.unauthorized : gatewayErrors.authorizerFailure;
  const { principalId, policyDocument, context = {} } = (JSON.parse(outcome.payload) ?? {}) as Record<string, unknown>;
  const entries = Object.entries(context ?? {});
  const isValid = typeof principalId === 'string' && typeof policyDocument === 'object' && policyDocument !== null;
  if (!isValid || entries.some(([, value]) => typeof value === 'object')) throw gatewayErrors.authorizerConfiguration;
  return {
    principal_id: principalId,
    policy: policyDocument,
    context: Object.fromEntries(entries.map(([name, value]) => [name, String(value)])),
  };
}

/** @throws Error for an identity source other than a header or a query parameter */
function compileIdentitySource(source: string): (request: ApiRequest) => string | undefined {
  const [, kind, name] = /^method\.request\.(header|querystring)\.(.+)$/.exec(source) ?? [];
  if (name === undefined)
    throw new Error(`the identity source ${source} is not supported, only headers and query strings`);
  return kind === 'header' ? (request) => header(request, name) : (request) => request.query.get(name) ?? undefined;
}
