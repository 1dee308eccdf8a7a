import type { APIGatewayProxyResult } from 'aws-lambda';
import { typicalSeconds } from '../../polling/durations.ts';
import { type Durations, findModel, type Model, type ModelName, offeredModelNames } from '../../wan/catalogue.ts';
import { defaultPrices } from '../../wan/prices.ts';
import { type Region, regions } from '../../wan/regions.ts';
import { withEtag } from '../http/conditional-requests.ts';
import { type ApiRequest, json } from '../http/request.ts';

export interface CatalogueServices {
  wanRegion: Region;
  /** How long a task takes in this deployment, in seconds. @default the catalogue's value */
  typicalSeconds: number | undefined;
}

/** `GET /models`: the inputs, parameters, limits and prices of each offered model. */
export const listModels = (
  { wanRegion, typicalSeconds }: CatalogueServices,
  request: ApiRequest,
): APIGatewayProxyResult => withEtag(request, json(200, { data: offeredModels(wanRegion, typicalSeconds) }));

/** A model as `GET /models` and the console show it. The contract's schema `Model` describes each field. */
export type OfferedModel = ReturnType<typeof describeModel>;

/**
 * Every offered model, from the catalogue rows that also validate and price requests.
 * @param seconds how long a task takes in this deployment. @default the catalogue's value
 */
export const offeredModels = (region: Region, seconds?: number): OfferedModel[] =>
  offeredModelNames.map((name) => describeModel(name, region, seconds));

function describeModel(name: ModelName, region: Region, seconds: number | undefined) {
  const { preview, durations, audio_switch, wire_format, usage_family, rate_limits, ...model }: Model = findModel(name);
  return {
    ...model,
    durations: secondsOf(durations),
    default_duration: durations.default,
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
