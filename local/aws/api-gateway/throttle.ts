import type { MethodDefinition, MethodSetting } from './api-definition.ts';

/**
 * Throttles each method of the stage by a token bucket of `burst_limit` tokens that is refilled by `rate_limit` per
 * second. A method's own setting overrides the one for all methods. Without a setting nothing is throttled.
 */
export function createThrottle(
  settings: readonly MethodSetting[],
  now: () => number,
): (method: MethodDefinition) => boolean {
  const buckets = new Map<MethodDefinition, { tokens: number; at: number }>();
  return (method) => {
    const limits = findLimits(method, settings);
    if (!limits) return true;
    const at = now();
    const bucket = buckets.get(method) ?? { tokens: limits.burst, at };
    const tokens = Math.min(limits.burst, bucket.tokens + ((at - bucket.at) / 1000) * limits.rate);
    const isAllowed = tokens >= 1;
    buckets.set(method, { tokens: isAllowed ? tokens - 1 : tokens, at });
    return isAllowed;
  };
}

function findLimits(
  method: MethodDefinition,
  settings: readonly MethodSetting[],
): { rate: number; burst: number } | undefined {
  const own = settings.find(
    (setting) => setting.resource_path === method.resource_path && setting.http_method === method.http_method,
  );
  const common = settings.find((setting) => setting.resource_path === '/*' && setting.http_method === '*');
  const rate = own?.rate_limit ?? common?.rate_limit;
  return rate === undefined ? undefined : { rate, burst: own?.burst_limit ?? common?.burst_limit ?? Math.ceil(rate) };
}
