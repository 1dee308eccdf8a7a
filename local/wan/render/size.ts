import type { Tier } from '../models.ts';

const pixels: Readonly<Record<Tier, number>> = { '480P': 832 * 480, '720P': 1280 * 720, '1080P': 1920 * 1080 };

/**
 * Returns width and height of a video in pixels: the aspect ratio of the image at the area of the tier, both sides multiples
 * of 16 (facts, "The video"; 750×1000 at 720P gives 816×1104, the example of the reference).
 */
export function videoSize(image: { width: number; height: number }, tier: Tier): { width: number; height: number } {
  const aspectRatio = image.height / image.width;
  return {
    width: toSixteen(Math.sqrt(pixels[tier] / aspectRatio)),
    height: toSixteen(Math.sqrt(pixels[tier] * aspectRatio)),
  };
}

function toSixteen(side: number): number {
  return 16 * Math.floor(side / 16);
}
