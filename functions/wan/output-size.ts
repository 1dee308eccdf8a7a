import type { Resolution } from './catalogue.ts';

/** The number of pixels of each tier. */
const outputAreas: Readonly<Record<Resolution, number>> = {
  '480P': 832 * 480,
  '720P': 1280 * 720,
  '1080P': 1920 * 1080,
};

/**
 * The expected size of a video: the aspect ratio of its image, the tier's number of pixels, and both sides a multiple of 16.
 *
 * The formula is that of the open Wan 2.2 model and agrees with the reference's only example (750 × 1000 at 720P becomes 816 × 1104), so
 * another size is a warning, never a failure.
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
