import type { OfferedModel } from '../functions/api/videos/models.ts';
import type { PictureLimits } from './picture-plan.ts';

/** The models as they are shown: the one whose usual video is cheapest first, so that nobody spends much by accident. */
export const byCost = (models: readonly OfferedModel[]): OfferedModel[] =>
  [...models].sort((one, other) => usualCost(one) - usualCost(other));

/** One without a price comes last. */
const usualCost = ({ prices, default_resolution, default_duration }: OfferedModel): number =>
  (prices[default_resolution] ?? Number.POSITIVE_INFINITY) * default_duration;

/** What a second and a whole video cost; undefined where no price is known. */
export function costOf(
  { prices }: Pick<OfferedModel, 'prices'>,
  resolution: keyof OfferedModel['prices'],
  seconds: number,
): { unit: number; amount: number } | undefined {
  const unit = prices[resolution];
  return unit === undefined ? undefined : { unit, amount: Math.round(unit * seconds * 1e6) / 1e6 };
}

/** A picture within these is taken by every model, so that a picture stays when another model is chosen. */
export function commonLimits(models: readonly OfferedModel[]): PictureLimits {
  const limits = models.map(({ image }) => image);
  return {
    min_side: Math.max(...limits.map(({ min_side }) => min_side)),
    max_side: Math.min(...limits.map(({ max_side }) => max_side)),
    max_bytes: Math.min(...limits.map(({ max_bytes }) => max_bytes)),
  };
}
