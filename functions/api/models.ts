import type { APIGatewayProxyResult } from 'aws-lambda';
import { typicalSeconds } from '../video/typical-seconds.ts';
import { type Durations, findModel, type ModelName, offeredModelNames } from '../wan/catalogue.ts';
import { defaultPrices } from '../wan/prices.ts';
import { type Region, regions } from '../wan/regions.ts';
import { withEtag } from './etag.ts';
import { type ApiRequest, json } from './http.ts';

/** `GET /models`: what each offered model takes and costs, from the same rows by which requests are checked and priced. */
export const listModels = ({ wanRegion }: { wanRegion: Region }, request: ApiRequest): APIGatewayProxyResult =>
  withEtag(request, json(200, { data: offeredModelNames.map((name) => describeModel(name, wanRegion)) }));

function describeModel(name: ModelName, region: Region) {
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
    /** A second of video, by resolution; none where no price is known. */
    prices: defaultPrices.prices[name]?.[region] ?? {},
    currency: regions[region].currency,
    prices_as_of: defaultPrices.as_of,
    /** Of a video of the default length: a figure to plan with, no promise. */
    typical_seconds: typicalSeconds({ model: name, parameters: { duration: durations.default } }),
  };
}

function secondsOf(durations: Durations): readonly number[] {
  if (durations.kind === 'set') return durations.values;
  return Array.from({ length: durations.max - durations.min + 1 }, (_, index) => durations.min + index);
}
