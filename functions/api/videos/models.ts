import type { APIGatewayProxyResult } from 'aws-lambda';
import { typicalSeconds } from '../../polling/durations.ts';
import { type Durations, findModel, type Model, type ModelName, offeredModelNames } from '../../wan/catalogue.ts';
import { defaultPrices, type TierPrices } from '../../wan/prices.ts';
import { type Region, regions } from '../../wan/regions.ts';
import { withEtag } from '../http/conditional-requests.ts';
import { type ApiRequest, json } from '../http/request.ts';

export interface CatalogueServices {
  wanRegion: Region;
  /** The deployment's own figure of how long a task takes, in seconds. @default the catalogue's */
  typicalSeconds: number | undefined;
}

/** `GET /models`: what each offered model takes and costs. */
export const listModels = (
  { wanRegion, typicalSeconds }: CatalogueServices,
  request: ApiRequest,
): APIGatewayProxyResult => withEtag(request, json(200, { data: offeredModels(wanRegion, typicalSeconds) }));

/** What a model takes and costs, as `GET /models` and the console tell it. */
export interface OfferedModel
  extends Pick<
    Model,
    | 'name'
    | 'resolutions'
    | 'default_resolution'
    | 'prompt_limit'
    | 'negative_prompt_limit'
    | 'audio'
    | 'shot_type'
    | 'image'
  > {
  /** Seconds. */
  durations: readonly number[];
  default_duration: number;
  /** Of one second of video; a resolution without a known price is missing. */
  prices: TierPrices;
  currency: 'USD' | 'CNY';
  /** The day on which the prices were read, ISO 8601. */
  prices_as_of: string;
  /** Of a video of the default length: a figure to plan with, no promise. */
  typical_seconds: number;
}

/**
 * Every model that is offered, from the same rows by which requests are checked and priced.
 * @param seconds that a task of this deployment takes, whatever the catalogue says
 */
export const offeredModels = (region: Region, seconds?: number): OfferedModel[] =>
  offeredModelNames.map((name) => describeModel(name, region, seconds));

function describeModel(name: ModelName, region: Region, seconds: number | undefined): OfferedModel {
  const { resolutions, default_resolution, durations, ...model } = findModel(name);
  const { prompt_limit, negative_prompt_limit, audio, shot_type, image } = model;
  return {
    name,
    resolutions,
    default_resolution,
    durations: secondsOf(durations),
    default_duration: durations.default,
    prompt_limit,
    negative_prompt_limit,
    audio,
    shot_type,
    image,
    prices: defaultPrices.prices[name]?.[region] ?? {},
    currency: regions[region].currency,
    prices_as_of: defaultPrices.as_of,
    typical_seconds: typicalSeconds({ model: name, parameters: { duration: durations.default } }, seconds),
  };
}

function secondsOf(durations: Durations): readonly number[] {
  if (durations.kind === 'set') return durations.values;
  return Array.from({ length: durations.max - durations.min + 1 }, (_, index) => durations.min + index);
}
