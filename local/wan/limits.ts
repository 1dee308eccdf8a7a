/** Requests an account may send a second; facts, "Rate limits" and (upload policies) the upload's own page. */
export const queriesPerSecond = 20;
export const policiesPerSecond = 100;

export interface Limits {
  /** Takes one request from the allowance; false means over the limit, and such a request takes nothing. */
  take(allowance: string, perSecond: number): boolean;
}

/**
 * Allowances that refill evenly and hold one second's worth: a burst of `perSecond` passes, then one every
 * 1/`perSecond` s (GCRA). How Wan itself counts is not published; evenly spaced clients pass whatever their jitter.
 */
export function createLimits(options: { readonly enabled: boolean; readonly now: () => number }): Limits {
  const arrivals = new Map<string, number>();
  return {
    take(allowance, perSecond) {
      if (!options.enabled) return true;
      const now = options.now();
      const interval = 1000 / perSecond;
      const arrival = Math.max(arrivals.get(allowance) ?? now, now);
      if (arrival - now > 1000 - interval + 1e-6) return false;
      arrivals.set(allowance, arrival + interval);
      return true;
    },
  };
}
