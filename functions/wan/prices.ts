import { type Model, type ModelName, type Resolution, rulesOf, type WithFamily } from './catalogue.ts';
import { type CatalogueChanges, changeOf, type Row, retirementOf, rowNames, rowOf } from './changes.ts';
import { kindOfMedia, type MediaType } from './media.ts';
import { AUTOMATIC_DURATION, longestDuration } from './output.ts';
import { type Region, regions, sharedDomain } from './regions.ts';

/** Prices of one model in one region: per second of billed video and tier, in the region's currency. */
export type TierPrices = Readonly<Partial<Record<Resolution, number>>>;

/** What a deployment has configured about Wan: its region, its endpoint, and its own prices in place of the known ones. */
export type Deployment = {
  readonly region: Region;
  readonly base_url: string;
  readonly prices: Readonly<Record<string, TierPrices>>;
  /** What the deployment changes in the catalogue. @default nothing */
  readonly changes?: CatalogueChanges;
  /** The time of the invocation, milliseconds since 1970, by which models are retired. @default no model is retired */
  readonly now?: number;
  /** Whether every video has the visible watermark, or those whose request wants it. @default `requested` */
  readonly watermark?: WatermarkRule;
};

export type WatermarkRule = 'requested' | 'always';

export type Price = {
  /** What the video costs, rounded to a millionth. */
  amount: number;
  currency: 'USD' | 'CNY';
  unit_price: number;
  seconds: number;
  /** The day on which the price was read, or `configured` for one of the deployment's settings. */
  as_of: string;
};

type PriceRow = { readonly as_of: string } & Readonly<Partial<Record<Region, TierPrices>>>;

const reference = '2025-12-29';
const later = '2026-11-01';
const wan27: PriceRow = { as_of: later, singapore: { '720P': 0.1, '1080P': 0.15 } };

/** The known prices. A model without a known price has no row: its cost is unknown, which is not zero. */
const knownPrices: Readonly<Partial<Record<ModelName, PriceRow>>> & { readonly [model: string]: PriceRow } = {
  'wan2.6-i2v': {
    as_of: reference,
    singapore: { '720P': 0.1, '1080P': 0.15 },
    beijing: { '720P': 0.6, '1080P': 1 },
  },
  'wan2.5-i2v-preview': {
    as_of: reference,
    singapore: { '480P': 0.05, '720P': 0.1, '1080P': 0.15 },
    beijing: { '480P': 0.3, '720P': 0.6, '1080P': 1 },
  },
  'wan2.2-i2v-plus': {
    as_of: reference,
    singapore: { '480P': 0.02, '1080P': 0.1 },
    beijing: { '480P': 0.14, '1080P': 0.7 },
  },
  'wan2.2-i2v-flash': {
    as_of: reference,
    singapore: { '480P': 0.015, '720P': 0.036 },
    beijing: { '480P': 0.1, '720P': 0.2 },
  },
  'wan2.1-i2v-turbo': {
    as_of: reference,
    singapore: { '480P': 0.036, '720P': 0.036 },
    beijing: { '480P': 0.24, '720P': 0.24 },
  },
  'wan2.1-i2v-plus': { as_of: reference, singapore: { '720P': 0.1 }, beijing: { '720P': 0.7 } },
  'wan2.7-i2v': wan27,
  'wan2.7-i2v-2026-04-25': wan27,
  'wan3.0-video': {
    as_of: later,
    singapore: { '480P': 0.05, '720P': 0.1, '1080P': 0.2 },
    beijing: { '480P': 0.3, '720P': 0.6, '1080P': 1.2 },
  },
  'wan3.0-video-prime': { as_of: later, beijing: { '480P': 0.45, '720P': 0.9, '1080P': 1.8 } },
};

/** The prices of a model by tier in a deployment, and when they were read. */
export function pricesOf(
  model: string,
  { region, prices, changes = {} }: Deployment,
): { as_of: string; tiers: TierPrices } {
  const changed = changeOf(model, changes).prices;
  if (changed?.currency === regions[region].currency) return { as_of: changed.as_of, tiers: changed.per_second };
  const own = Object.hasOwn(prices, model) ? prices[model] : undefined;
  if (own) return { as_of: 'configured', tiers: own };
  const row = Object.hasOwn(knownPrices, model) ? knownPrices[model] : undefined;
  return { as_of: row?.as_of ?? later, tiers: row?.[region] ?? {} };
}

/**
 * The price of a number of billed seconds. Wan bills only a video that succeeded (reference, "Billing and rate limiting").
 * @returns undefined where no price is known
 */
export function priceOf(
  model: string,
  resolution: Resolution,
  seconds: number,
  deployment: Deployment,
): Price | undefined {
  const { as_of, tiers } = pricesOf(model, deployment);
  const unitPrice = tiers[resolution];
  if (unitPrice === undefined) return undefined;
  return {
    amount: Math.round(unitPrice * seconds * 1e6) / 1e6,
    currency: regions[deployment.region].currency,
    unit_price: unitPrice,
    seconds,
    as_of,
  };
}

/**
 * What a requested video will cost at most if it succeeds; undefined if no price is known.
 * @param media the inputs, with the seconds of those that were inspected
 */
export const estimatedCost = (
  { model, family, parameters: { resolution, duration } }: PricedRequest,
  media: readonly BilledMedia[],
  deployment: Deployment,
): Price | undefined =>
  priceOf(model, resolution, billableSeconds(rulesOf({ model, family }), duration, media), deployment);

type PricedRequest = WithFamily & { parameters: { resolution: Resolution; duration: number } };
type BilledMedia = { readonly type: MediaType; readonly duration_seconds?: number | undefined };

/**
 * The most seconds that Wan may bill for a request. A continuation is billed as a whole, with its source; reference videos are billed
 * in addition to the output. An input of unknown length counts as the longest that is accepted, and a length that the model chooses as
 * the longest that it offers. Parts of a second are rounded up, because Wan may measure an input differently.
 */
export function billableSeconds(model: Model, duration: number, media: readonly BilledMedia[]): number {
  const { durations, video_input, max_total_seconds = Number.POSITIVE_INFINITY } = model;
  const output = duration === AUTOMATIC_DURATION ? longestDuration(durations) : duration;
  const videos = media.filter(({ type }) => kindOfMedia(type) === 'video');
  if (videos.length === 0) return output;
  const { max_seconds = 0, max_total_seconds: longest = Number.POSITIVE_INFINITY } = video_input ?? {};
  const lengthsWith = (unknown: number) => sum(videos.map(({ duration_seconds = unknown }) => duration_seconds));
  const input = Math.ceil(Math.max(lengthsWith(0), Math.min(longest, lengthsWith(max_seconds))));
  const isContinuation = videos.some(({ type }) => type === 'first_clip');
  return isContinuation ? Math.max(output, input) : Math.min(max_total_seconds, output + input);
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** What a deployment lacks for offering a model: sentences that each name the setting. Empty for a model that is offered. */
export function missingSettings({ name, domain, resolutions }: Row, deployment: Deployment): string[] {
  const { region, base_url, changes = {} } = deployment;
  const { tiers } = pricesOf(name, deployment);
  const unpriced = resolutions.filter((resolution) => tiers[resolution] === undefined);
  return [
    ...(changeOf(name, changes).offered === false ? ['Its operators have turned it off.'] : []),
    ...(domain === 'workspace' && isSharedDomain(base_url)
      ? ['Only a workspace domain serves it: set "workspaceId", or "wanBaseUrl".']
      : []),
    ...(unpriced.length > 0 ? [`Its price in ${region} is not known for ${unpriced.join(', ')}: set "prices".`] : []),
  ];
}

const isSharedDomain = (baseUrl: string): boolean => sharedDomain.test(new URL(baseUrl).hostname);

/** The models that a deployment offers, in the order of the catalogue. */
export const offeredModels = (deployment: Deployment): Row[] =>
  rowNames(deployment.changes ?? {})
    .map((name) => rowOf(name, deployment.changes)!)
    .filter((row) => missingSettings(row, deployment).length === 0 && retirement(row, deployment) !== 'retired');

/** Whether a model is retired at the time of the invocation, or will be within 30 days. */
export const retirement = (row: Row, { now }: Deployment) => (now === undefined ? undefined : retirementOf(row, now));
