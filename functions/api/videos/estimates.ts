import type { APIGatewayProxyResult } from 'aws-lambda';
import { typicalSeconds } from '../../polling/durations.ts';
import type { Caller } from '../../shared/caller.ts';
import { readJson } from '../../shared/json-body.ts';
import { checkBody } from '../../submissions/check-body.ts';
import { estimatedCost } from '../../wan/prices.ts';
import { type ApiRequest, json } from '../http/request.ts';
import type { CatalogueServices } from './models.ts';

export interface EstimateServices extends CatalogueServices {
  trustedOrigins: readonly string[];
  uploadsBucket: string;
}

/**
 * `POST /estimates`: checks a request for a video as `POST /videos` would, and tells what it would be and cost. Nothing is stored,
 * spent or fetched, so whether the files behind URLs are there and good shows only when the video is asked for.
 * @throws Problem 400 with all issues at once, 413 for a large inline picture
 */
export async function estimate(
  services: EstimateServices,
  request: ApiRequest,
  { owner }: Caller,
): Promise<APIGatewayProxyResult> {
  const { request: wanted, warnings } = checkBody(readJson(request), { ...services, mode: 'strict', owner });
  const { model, parameters } = wanted;
  return json(200, {
    model,
    parameters,
    estimated_cost: estimatedCost(wanted, services.wanRegion) ?? null,
    estimated_seconds: typicalSeconds(wanted, services.typicalSeconds),
    warnings,
  });
}
