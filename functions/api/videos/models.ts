import type { APIGatewayProxyResult } from 'aws-lambda';
import { typicalSeconds } from '../../polling/durations.ts';
import { findModel, type Model, type ModelName } from '../../wan/catalogue.ts';
import type { Durations } from '../../wan/output.ts';
import { type Deployment, offeredModels, pricesOf } from '../../wan/prices.ts';
import { regions } from '../../wan/regions.ts';
import { withEtag } from '../http/conditional-requests.ts';
import { type ApiRequest, json } from '../http/request.ts';

export interface CatalogueServices {
  deployment: Deployment;
  /** How long a task takes in this deployment, in seconds. @default the catalogue's value */
  typicalSeconds: number | undefined;
}

/** `GET /models`: the inputs, parameters, limits and prices of each offered model. */
export const listModels = (
  { deployment, typicalSeconds }: CatalogueServices,
  request: ApiRequest,
): APIGatewayProxyResult => withEtag(request, json(200, { data: describeModels(deployment, typicalSeconds) }));

/** A model as `GET /models` and the console show it. The contract's schema `Model` describes each field. */
export type OfferedModel = ReturnType<typeof describeModel>;

/**
 * Every offered model, from the catalogue rows that also validate and price requests.
 * @param seconds how long a task takes in this deployment. @default the catalogue's value
 */
export const describeModels = (deployment: Deployment, seconds?: number): OfferedModel[] =>
  offeredModels(deployment).map((name) => describeModel(name, deployment, seconds));

function describeModel(name: ModelName, deployment: Deployment, seconds: number | undefined) {
  const { durations, domain, wire_format, usage_family, known_output_size, rate_limits, ...model }: Model =
    findModel(name);
  const { as_of, tiers } = pricesOf(name, deployment);
  return {
    ...model,
    durations: secondsOf(durations),
    default_duration: durations.default,
    automatic_duration: durations.kind === 'range' && durations.automatic === true,
    prices: tiers,
    currency: regions[deployment.region].currency,
    prices_as_of: as_of,
    typical_seconds: typicalSeconds({ model: name, parameters: { duration: durations.default } }, seconds),
  };
}

function secondsOf(durations: Durations): readonly number[] {
  if (durations.kind === 'set') return durations.values;
  return Array.from({ length: durations.max - durations.min + 1 }, (_, index) => durations.min + index);
}
