import type { Tier } from '../models.ts';

const pixels: Readonly<Record<Tier, number>> = { '480P': 832 * 480, '720P': 1280 * 720, '1080P': 1920 * 1080 };

/**
 * Width and height of a video, in pixels: the image's shape at the tier's area, both sides multiples of 16
 * (facts, "The video"; 750×1000 at 720P gives 816×1104, the reference's own example).
 */
export function videoSize(image: { width: number; height: number }, tier: Tier): { width: number; height: number } {
  const shape = image.height / image.width;
  return { width: toSixteen(Math.sqrt(pixels[tier] / shape)), height: toSixteen(Math.sqrt(pixels[tier] * shape)) };
}

function toSixteen(side: number): number {
  return 16 * Math.floor(side / 16);
}
