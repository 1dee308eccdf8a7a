/** Requests per second and account (facts, "Rate limits"; for upload policies, the documentation of the upload). */
export const queriesPerSecond = 20;
export const policiesPerSecond = 100;

export interface Limits {
  /** Counts one request. Returns false over the limit; such a request does not count. */
  tryAcquire(rateLimit: string, perSecond: number): boolean;
  /** Multiplies every limit from now on. */
  scale(factor: number): void;
}

/**
 * Creates rate limits (GCRA): a burst of `perSecond` requests passes, then one every 1/`perSecond` s. Wan does not publish
 * how it counts. Evenly spaced clients pass in spite of jitter.
 */
export function createLimits(options: { readonly enabled: boolean; readonly now: () => number }): Limits {
  const arrivals = new Map<string, number>();
  let scale = 1;
  return {
    scale(factor) {
      scale = factor;
    },
    tryAcquire(rateLimit, perSecond) {
      if (!options.enabled) return true;
      const now = options.now();
      const interval = 1000 / (perSecond * scale);
      const arrival = Math.max(arrivals.get(rateLimit) ?? now, now);
      if (arrival - now > 1000 - interval + 1e-6) return false;
      arrivals.set(rateLimit, arrival + interval);
      return true;
    },
  };
}
