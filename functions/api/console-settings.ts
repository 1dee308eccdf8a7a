import type { Region } from '../wan/regions.ts';
import { MAX_INLINE_IMAGE_BYTES } from './inline-image.ts';
import { type OfferedModel, offeredModels } from './offered-models.ts';

/** What the console's form offers before there is a key, as JSON within the page. */
export interface ConsoleSettings {
  models: OfferedModel[];
  /** A larger picture is uploaded before its video is asked for. */
  inline_image_bytes: number;
}

/** What a region offers: as `GET /models` tells, whose answer replaces it on the page. */
export const consoleSettings = (region: Region): ConsoleSettings => ({
  models: offeredModels(region),
  inline_image_bytes: MAX_INLINE_IMAGE_BYTES,
});
