import type { APIGatewayProxyResult } from 'aws-lambda';
import { typicalSeconds } from '../../polling/durations.ts';
import { ProblemError } from '../../shared/problem.ts';
import type { Row } from '../../wan/changes.ts';
import type { Durations } from '../../wan/output.ts';
import { type Deployment, offeredModels, pricesOf } from '../../wan/prices.ts';
import { regions } from '../../wan/regions.ts';
import { withEtag } from '../http/conditional-requests.ts';
import { type ApiRequest, json } from '../http/request.ts';
import { modelSchemaOf } from './model-schema.ts';

export interface CatalogueServices {
  deployment: Deployment;
  /** How long a task takes in this deployment, in seconds. @default the catalogue's value */
  typicalSeconds: number | undefined;
  /** Returns by which factor submissions of a model are slower than configured, after Wan has throttled them: at least 1. */
  readSlowdown: (model: string) => Promise<number>;
}

/** `GET /models`: the inputs, parameters, limits and prices of each offered model. */
export async function listModels(
  { deployment, typicalSeconds, readSlowdown }: CatalogueServices,
  request: ApiRequest,
): Promise<APIGatewayProxyResult> {
  const data = describeModels(deployment, typicalSeconds).map(async (model) => {
    const slowdown = await readSlowdown(model.name);
    return slowdown > 1 ? { ...model, submit_slowdown: Math.round(slowdown * 100) / 100 } : model;
  });
  return withEtag(request, json(200, { data: await Promise.all(data) }));
}

/** `GET /models/{name}/schema`: the JSON Schema of requests for a model. @throws ProblemError 404 for one that is not offered */
export function getModelSchema({ deployment }: CatalogueServices, request: ApiRequest): APIGatewayProxyResult {
  const offered = offeredModels(deployment);
  const row = offered.find(({ name }) => name === request.pathParameters?.name);
  if (row) return withEtag(request, json(200, modelSchemaOf(row, deployment)));
  throw new ProblemError(404, {
    code: 'model_not_found',
    title: 'This deployment does not offer the model.',
    detail: `Use one of ${offered.map(({ name }) => name).join(', ')}.`,
  });
}

/** A model as `GET /models` and the console show it. The contract's schema `Model` describes each field. */
export type OfferedModel = ReturnType<typeof describeModel>;

/**
 * Every offered model, from the catalogue rows that also validate and price requests.
 * @param seconds how long a task takes in this deployment. @default the catalogue's value
 */
export const describeModels = (deployment: Deployment, seconds?: number): OfferedModel[] =>
  offeredModels(deployment).map((row) => describeModel(row, deployment, seconds));

function describeModel(row: Row, deployment: Deployment, seconds: number | undefined) {
  const { durations, domain, wire_format, usage_family, known_output_size, rate_limits, family, ...model } = row;
  const { name } = row;
  const { as_of, tiers } = pricesOf(name, deployment);
  return {
    ...model,
    ...(family === name ? {} : { family }),
    durations: secondsOf(durations),
    default_duration: durations.default,
    automatic_duration: durations.kind === 'range' && durations.automatic === true,
    prices: tiers,
    currency: regions[deployment.region].currency,
    prices_as_of: as_of,
    typical_seconds: typicalSeconds(
      { model: name, parameters: { duration: durations.default } },
      seconds ?? deployment.changes,
    ),
  };
}

function secondsOf(durations: Durations): readonly number[] {
  if (durations.kind === 'set') return durations.values;
  return Array.from({ length: durations.max - durations.min + 1 }, (_, index) => durations.min + index);
}
