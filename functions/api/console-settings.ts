import { type Durations, type Model, models, offeredModelNames } from '../wan/catalogue.ts';
import { defaultPrices, type TierPrices } from '../wan/prices.ts';
import { type Region, regions } from '../wan/regions.ts';
import { MAX_INLINE_IMAGE_BYTES } from './inline-image.ts';

/** What the console's form offers, as JSON within the page. */
export interface ConsoleSettings {
  models: ConsoleModel[];
  currency: 'USD' | 'CNY';
  /** The day on which the prices were read, ISO 8601. */
  prices_as_of: string;
  /** A picture within these is taken by every model offered, inline. */
  image: Model['image'];
}

export interface ConsoleModel extends Pick<Model, 'name' | 'resolutions' | 'default_resolution' | 'prompt_limit'> {
  /** Seconds. */
  durations: readonly number[];
  default_duration: number;
  sound: boolean;
  /** Of one second; a resolution without a price is missing. */
  prices: TierPrices;
}

/** The catalogue and the price list of a region, as far as a form needs them; the cheapest model first. */
export function consoleSettings(region: Region): ConsoleSettings {
  const offered = models.filter(({ name }) => offeredModelNames.includes(name));
  const limits = offered.map(({ image }) => image);
  return {
    models: offered
      .map(
        (model): ConsoleModel => ({
          name: model.name,
          resolutions: model.resolutions,
          default_resolution: model.default_resolution,
          prompt_limit: model.prompt_limit,
          durations: secondsOf(model.durations),
          default_duration: model.durations.default,
          sound: model.audio,
          prices: defaultPrices.prices[model.name]?.[region] ?? {},
        }),
      )
      .sort((one, other) => defaultCost(one) - defaultCost(other)),
    currency: regions[region].currency,
    prices_as_of: defaultPrices.as_of,
    image: {
      min_side: Math.max(...limits.map(({ min_side }) => min_side)),
      max_side: Math.min(...limits.map(({ max_side }) => max_side)),
      max_bytes: Math.min(MAX_INLINE_IMAGE_BYTES, ...limits.map(({ max_bytes }) => max_bytes)),
    },
  };
}

function secondsOf(durations: Durations): readonly number[] {
  if (durations.kind === 'set') return durations.values;
  return Array.from({ length: durations.max - durations.min + 1 }, (_, index) => durations.min + index);
}

/** Of a video as the model makes it when nothing else is chosen; one without a price comes last. */
const defaultCost = ({ prices, default_resolution, default_duration }: ConsoleModel): number =>
  (prices[default_resolution] ?? Number.POSITIVE_INFINITY) * default_duration;
