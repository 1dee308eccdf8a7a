import type { ModelName, Resolution } from './catalogue.ts';
import { type Region, regions } from './regions.ts';
import type { VideoRequest } from './validation/request.ts';

/** Prices of one model in one region: per second of output and tier, in the region's currency. */
export type TierPrices = Readonly<Partial<Record<Resolution, number>>>;
type PriceTable = Readonly<{
  /** The day on which the prices were read, ISO 8601. */
  as_of: string;
  prices: Readonly<Partial<Record<ModelName, Readonly<Partial<Record<Region, TierPrices>>>>>>;
}>;

export type Price = {
  /** What the video costs, rounded to a millionth. */
  amount: number;
  currency: 'USD' | 'CNY';
  unit_price: number;
  seconds: number;
  as_of: string;
};

/**
 * The known prices. A model without a known price has no row: its cost is unknown, which is not zero.
 */
export const defaultPrices: PriceTable = {
  as_of: '2025-12-29',
  prices: {
    'wan2.6-i2v': { singapore: { '720P': 0.1, '1080P': 0.15 }, beijing: { '720P': 0.6, '1080P': 1 } },
    'wan2.5-i2v-preview': {
      singapore: { '480P': 0.05, '720P': 0.1, '1080P': 0.15 },
      beijing: { '480P': 0.3, '720P': 0.6, '1080P': 1 },
    },
    'wan2.2-i2v-plus': { singapore: { '480P': 0.02, '1080P': 0.1 }, beijing: { '480P': 0.14, '1080P': 0.7 } },
    'wan2.2-i2v-flash': { singapore: { '480P': 0.015, '720P': 0.036 }, beijing: { '480P': 0.1, '720P': 0.2 } },
    'wan2.1-i2v-turbo': { singapore: { '480P': 0.036, '720P': 0.036 }, beijing: { '480P': 0.24, '720P': 0.24 } },
    'wan2.1-i2v-plus': { singapore: { '720P': 0.1 }, beijing: { '720P': 0.7 } },
  },
};

/**
 * The price of a number of seconds of video. Wan bills only the seconds of a video that succeeded (reference, "Billing and rate limiting").
 * @returns undefined where the table has no price
 */
export function priceOf(
  model: ModelName,
  resolution: Resolution,
  seconds: number,
  region: Region,
  table: PriceTable = defaultPrices,
): Price | undefined {
  const unitPrice = table.prices[model]?.[region]?.[resolution];
  if (unitPrice === undefined) return undefined;
  return {
    amount: Math.round(unitPrice * seconds * 1e6) / 1e6,
    currency: regions[region].currency,
    unit_price: unitPrice,
    seconds,
    as_of: table.as_of,
  };
}

/** What a requested video will cost if it succeeds; undefined if no price is known. */
export const estimatedCost = (
  { model, parameters: { resolution, duration } }: Pick<VideoRequest, 'model' | 'parameters'>,
  region: Region,
): Price | undefined => priceOf(model, resolution, duration, region);
