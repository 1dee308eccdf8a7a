import { type Price, priceOf } from '../wan/prices.ts';
import type { Region } from '../wan/regions.ts';
import type { VideoRequest } from '../wan/request.ts';

/** What a video that is asked for will cost if it succeeds; undefined where no price is known. */
export const estimatedCost = (
  { model, parameters: { resolution, duration } }: Pick<VideoRequest, 'model' | 'parameters'>,
  region: Region,
): Price | undefined => priceOf(model, resolution, duration, region);
