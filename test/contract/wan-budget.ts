import { findModel, isModelName, type ModelName } from '../../functions/wan/catalogue.ts';
import { priceOf } from '../../functions/wan/prices.ts';
import type { Region } from '../../functions/wan/regions.ts';
import { aDeployment } from '../support/videos.ts';

/** An upper bound of the yuan in dollars, so that a limit in dollars holds for Beijing too. */
const dollarsPerYuan = 0.2;

/** The cheapest video of 5 s at 480P. */
export const cheapest = { model: 'wan2.2-i2v-flash', resolution: '480P', duration: 5 } as const;

/**
 * Limits spending on the real service. Wraps fetch: counts each submission at its full price before sending it, and does not
 * send one that exceeds the limit.
 *
 * @param key - the billed key; calls with another one are free
 */
export function createBudget(options: {
  readonly key: string;
  readonly region: Region;
  readonly limit: number;
  readonly fetch: typeof fetch;
}) {
  let spent = 0;
  const guarded: typeof fetch = async (url, init) => {
    const isSubmit = init?.method === 'POST' && String(url).endsWith('/video-synthesis');
    const pays = new Headers(init?.headers).get('authorization') === `Bearer ${options.key}`;
    if (isSubmit && pays) {
      const dollars = costOf(String(init.body), options.region);
      // Sums of cents are not exact in binary.
      if (spent + dollars > options.limit + 1e-9) {
        const message = `Not sent: ${spent + dollars} USD in total, and the limit is ${options.limit} (WAN_LIVE_MAX_USD).`;
        throw Object.assign(new Error(message), { code: 'OVER_WAN_LIVE_MAX_USD' });
      }
      spent += dollars;
    }
    return options.fetch(url, init);
  };
  return { fetch: guarded, spent: () => spent };
}

/** Returns the price of a submission in dollars; an unknown price is infinite. */
function costOf(body: string, region: Region): number {
  const { model, parameters } = JSON.parse(body) as {
    model: ModelName;
    parameters: { resolution: '480P' | '720P' | '1080P'; duration?: number };
  };
  const seconds = parameters.duration ?? (isModelName(model) ? findModel(model).durations.default : 0);
  const price = priceOf(model, parameters.resolution, seconds, aDeployment(region));
  if (!price) return Number.POSITIVE_INFINITY;
  return price.currency === 'CNY' ? price.amount * dollarsPerYuan : price.amount;
}
