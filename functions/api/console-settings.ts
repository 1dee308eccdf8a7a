import { type Durations, type Model, models, offeredModelNames } from '../wan/catalogue.ts';
import { defaultPrices, type TierPrices } from '../wan/prices.ts';
import { type Region, regions } from '../wan/regions.ts';
import { MAX_INLINE_IMAGE_BYTES } from './inline-image.ts';

/** What the console's form offers before there is a key, as JSON within the page. */
export interface ConsoleSettings {
  models: OfferedModel[];
  /** A larger picture is uploaded before its video is asked for. */
  inline_image_bytes: number;
}

/** A row of `GET /models`, as far as the form needs it. */
export interface OfferedModel
  extends Pick<Model, 'name' | 'resolutions' | 'default_resolution' | 'prompt_limit' | 'audio' | 'image'> {
  /** Seconds. */
  durations: readonly number[];
  default_duration: number;
  /** Of one second; a resolution without a price is missing. */
  prices: TierPrices;
  currency: 'USD' | 'CNY';
  /** The day on which the prices were read, ISO 8601. */
  prices_as_of: string;
}

/** What a region offers, from the same tables as `GET /models`, whose answer replaces it on the page. */
export function consoleSettings(region: Region): ConsoleSettings {
  const offered = models.filter(({ name }) => offeredModelNames.includes(name));
  return {
    models: offered.map(
      ({ name, resolutions, default_resolution, durations, prompt_limit, audio, image }): OfferedModel => ({
        name,
        resolutions,
        default_resolution,
        durations: secondsOf(durations),
        default_duration: durations.default,
        prompt_limit,
        audio,
        image,
        prices: defaultPrices.prices[name]?.[region] ?? {},
        currency: regions[region].currency,
        prices_as_of: defaultPrices.as_of,
      }),
    ),
    inline_image_bytes: MAX_INLINE_IMAGE_BYTES,
  };
}

function secondsOf(durations: Durations): readonly number[] {
  if (durations.kind === 'set') return durations.values;
  return Array.from({ length: durations.max - durations.min + 1 }, (_, index) => durations.min + index);
}
