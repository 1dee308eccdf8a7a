import type { APIGatewayProxyResult } from 'aws-lambda';
import type { Region } from '../wan/regions.ts';
import { withEtag } from './etag.ts';
import { type ApiRequest, json } from './http.ts';
import { offeredModels } from './offered-models.ts';

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
