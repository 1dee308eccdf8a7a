import { type Model, type Ratio, ratios, type Tier } from '../models.ts';

const pixels: Readonly<Record<Tier, number>> = { '480P': 832 * 480, '720P': 1280 * 720, '1080P': 1920 * 1080 };

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Returns width and height of a video in pixels: an aspect ratio at the area of the tier. Models before wan2.7 round both sides
 * down to a multiple of 16 (facts, "The video"; 750×1000 at 720P gives 816×1104, the example of the reference). Later ones
 * round to the nearest one, except for sides that are exact (4:3 at 720P gives 1104×832, 16:9 at 1080P gives 1920×1080).
 */
export function videoSize(shape: Size, tier: Tier, rounding: Model['sizes']): Size {
  const aspectRatio = shape.height / shape.width;
  const round = rounding === 'down' ? toSixteen : toNearest;
  return {
    width: round(Math.sqrt(pixels[tier] / aspectRatio)),
    height: round(Math.sqrt(pixels[tier] * aspectRatio)),
  };
}

function toSixteen(side: number): number {
  return 16 * Math.floor(side / 16);
}

function toNearest(side: number): number {
  return side % 2 === 0 ? side : 16 * Math.round(side / 16);
}

/** Returns the sides of a ratio such as `16:9`. */
export function shapeOf(ratio: Exclude<Ratio, 'adaptive'>): Size {
  const [width = 1, height = 1] = ratio.split(':').map(Number);
  return { width, height };
}

/** Returns the name of a shape's ratio, `adaptive` for one without a name. */
export function ratioOf({ width, height }: Size): Ratio {
  const isNear = (ratio: Ratio) => {
    if (ratio === 'adaptive') return false;
    const named = shapeOf(ratio);
    return Math.abs((width * named.height) / (height * named.width) - 1) < 0.02;
  };
  return ratios.find(isNear) ?? 'adaptive';
}
