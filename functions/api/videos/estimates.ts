import type { APIGatewayProxyResult } from 'aws-lambda';
import type { RotatedImages } from '../../media/image.ts';
import { typicalSeconds } from '../../polling/durations.ts';
import type { Caller } from '../../shared/caller.ts';
import { isJsonObject, readJson } from '../../shared/json-body.ts';
import { checkBody } from '../../submissions/check-body.ts';
import { shorthandNames } from '../../wan/media.ts';
import { estimatedCost } from '../../wan/prices.ts';
import { type ApiRequest, json } from '../http/request.ts';
import type { CatalogueServices } from './models.ts';

export interface EstimateServices extends Omit<CatalogueServices, 'readSlowdown'> {
  trustedOrigins: readonly string[];
  /** @default `accept` */
  rotatedImages?: RotatedImages;
  /** Whether webhooks may go to this computer. @default false */
  loopbackWebhooks?: boolean;
  uploadsBucket: string;
}

/**
 * `POST /estimates`: checks a request as `POST /videos` does, and returns the resolved parameters, cost and duration. Nothing is stored,
 * reserved or fetched, so files behind URLs are checked only when the video is requested. The price depends on model and parameters, so the
 * image and the prompt may be left out.
 * @throws ProblemError 400 with all issues, 413 for an inline image that is too large
 */
export async function estimate(
  services: EstimateServices,
  request: ApiRequest,
  { owner }: Caller,
): Promise<APIGatewayProxyResult> {
  const {
    request: checked,
    media,
    warnings,
  } = checkBody(withInput(readJson(request)), {
    ...services,
    mode: 'strict',
    owner,
  });
  const { model, parameters } = checked;
  const measured = media.map(({ type, inline }) => ({ type, duration_seconds: inline?.facts.duration_seconds }));
  return json(200, {
    model,
    parameters,
    estimated_cost: estimatedCost(checked, measured, services.deployment) ?? null,
    estimated_seconds: typicalSeconds(checked, services.typicalSeconds ?? services.deployment.changes),
    warnings,
  });
}

/** Adds an image and a prompt to a body that has none. Wrong ones stay, so that they are reported. */
export function withInput(body: unknown): unknown {
  if (!isJsonObject(body)) return body;
  const { input = {} } = body;
  if (!isJsonObject(input)) return body;
  const description = 'prompt' in input || 'template' in input ? {} : { prompt: 'A video' };
  const hasMedia = ['media', ...shorthandNames].some((name) => name in input);
  const image = hasMedia ? {} : { img_url: 'https://example.com/image.png' };
  return { ...body, input: { ...image, ...description, ...input } };
}
