import type { Clock } from '../clock.ts';
import type { Lambda } from '../lambda/lambda.ts';
import type { AuthorizerDefinition } from './api-definition.ts';
import { type Fault, faults } from './gateway-responses.ts';
import { evaluatePolicy } from './policy.ts';
import { authorizerEvent, type EventSource, methodArn } from './proxy-event.ts';
import { type ApiRequest, header } from './request.ts';

/** The caller is let in, with what the authorizer said about it; or is not. */
export type Authorization = { context: Record<string, string> } | { fault: Fault };

interface AuthorizerAnswer {
  principal_id: string;
  policy: unknown;
  context: Record<string, string>;
}

/** Asks a Lambda authorizer, or its cached answer. The cached policy is evaluated anew for each method. */
export function createAuthorizer(
  definition: AuthorizerDefinition,
  { lambda, clock }: { lambda: Pick<Lambda, 'invoke'>; clock: Clock },
): (source: EventSource) => Promise<Authorization> {
  const identify = definition.identity_sources.map(compileIdentitySource);
  const cache = new Map<string, { answer: AuthorizerAnswer; until: number }>();
  const milliseconds = definition.result_ttl_seconds * 1000;

  return async (source) => {
    const identity = identify.map((find) => find(source.request));
    // With a cache every identity source must be there; without one the function decides.
    if (milliseconds > 0 && identity.some((part) => !part)) return { fault: faults.unauthorized };
    const key = JSON.stringify(identity);
    const cached = cache.get(key);
    const known = cached && cached.until > clock.now() ? cached.answer : undefined;
    const started = clock.now();
    const answer = known ?? (await ask(definition, source, lambda));
    if ('response_type' in answer) return { fault: answer };
    if (!known && milliseconds > 0) {
      for (const [old, { until }] of cache) if (until <= clock.now()) cache.delete(old);
      cache.set(key, { answer, until: clock.now() + milliseconds });
    }
    const decision = evaluatePolicy(answer.policy, methodArn(source));
    if (decision === 'malformed') return { fault: faults.authorizerConfiguration };
    if (decision === 'denied') return { fault: faults.accessDenied };
    const integrationLatency = String(clock.now() - started);
    return { context: { ...answer.context, principalId: answer.principal_id, integrationLatency } };
  };
}

async function ask(
  definition: AuthorizerDefinition,
  source: EventSource,
  lambda: Pick<Lambda, 'invoke'>,
): Promise<AuthorizerAnswer | Fault> {
  const outcome = await lambda
    .invoke(definition.function_arn, JSON.stringify(authorizerEvent(source)))
    .catch(() => undefined);
  if (!outcome) return faults.authorizerFailure;
  // The one error by which an authorizer says no: exactly this message.
  if ('error' in outcome)
    return outcome.error.errorMessage === 'Unauthorized' ? faults.unauthorized : faults.authorizerFailure;
  const { principalId, policyDocument, context = {} } = (JSON.parse(outcome.payload) ?? {}) as Record<string, unknown>;
  if (typeof principalId !== 'string' || typeof policyDocument !== 'object' || policyDocument === null)
    return faults.authorizerConfiguration;
  const values = Object.entries(context ?? {});
  if (values.some(([, value]) => typeof value === 'object')) return faults.authorizerConfiguration;
  return {
    principal_id: principalId,
    policy: policyDocument,
    context: Object.fromEntries(values.map(([name, value]) => [name, String(value)])),
  };
}

/** @throws Error for an identity source other than a header or a query parameter */
function compileIdentitySource(source: string): (request: ApiRequest) => string | undefined {
  const [, kind, name] = /^method\.request\.(header|querystring)\.(.+)$/.exec(source) ?? [];
  if (name === undefined)
    throw new Error(`the identity source ${source} is unknown: the local runtime knows headers and query strings`);
  return kind === 'header' ? (request) => header(request, name) : (request) => request.query.get(name) ?? undefined;
}
