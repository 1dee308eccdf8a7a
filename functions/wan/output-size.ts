import type { Resolution } from './catalogue.ts';

/** Pixels of a tier, by the sizes that name it. */
const outputAreas: Readonly<Record<Resolution, number>> = {
  '480P': 832 * 480,
  '720P': 1280 * 720,
  '1080P': 1920 * 1080,
};

/**
 * The size of the video that a picture becomes: the picture's shape, the
 * tier's number of pixels, both sides a multiple of 16.
 *
 * The reference gives one example, which this meets (750 × 1000 at 720P is
 * 816 × 1104); the formula is that of the open Wan 2.2 model, so an output of
 * another size is worth a warning, never a failure.
 */
export function outputSize(
  image: { width: number; height: number },
  resolution: Resolution,
): { width: number; height: number } {
  const area = outputAreas[resolution];
  const shape = image.height / image.width;
  return {
    width: 16 * Math.floor(Math.sqrt(area / shape) / 16),
    height: 16 * Math.floor(Math.sqrt(area * shape) / 16),
  };
}
