import type { MethodDefinition, MethodSetting } from './api-definition.ts';

/**
 * The stage's throttling: each method has a token bucket that holds `burst_limit` and is filled by `rate_limit` a second.
 * A setting for the method itself goes before the one for all methods; without either nothing is throttled.
 */
export function createThrottle(
  settings: readonly MethodSetting[],
  now: () => number,
): (method: MethodDefinition) => boolean {
  const buckets = new Map<MethodDefinition, { tokens: number; at: number }>();
  return (method) => {
    const limits = limitsOf(method, settings);
    if (!limits) return true;
    const at = now();
    const bucket = buckets.get(method) ?? { tokens: limits.burst, at };
    const tokens = Math.min(limits.burst, bucket.tokens + ((at - bucket.at) / 1000) * limits.rate);
    const allowed = tokens >= 1;
    buckets.set(method, { tokens: allowed ? tokens - 1 : tokens, at });
    return allowed;
  };
}

function limitsOf(
  method: MethodDefinition,
  settings: readonly MethodSetting[],
): { rate: number; burst: number } | undefined {
  const own = settings.find(
    (setting) => setting.resource_path === method.resource_path && setting.http_method === method.http_method,
  );
  const all = settings.find((setting) => setting.resource_path === '/*' && setting.http_method === '*');
  const rate = own?.rate_limit ?? all?.rate_limit;
  return rate === undefined ? undefined : { rate, burst: own?.burst_limit ?? all?.burst_limit ?? Math.ceil(rate) };
}
