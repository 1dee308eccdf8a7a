import type { OfferedModel } from '../functions/api/videos/models.ts';

/** Sorts by the price of a video with default settings, cheapest first, so that the preselected model costs least. */
export const byCost = (models: readonly OfferedModel[]): OfferedModel[] =>
  [...models].sort((one, other) => defaultCost(one) - defaultCost(other));

/** A model without a price sorts last. */
const defaultCost = ({ prices, default_resolution, default_duration }: OfferedModel): number =>
  (prices[default_resolution] ?? Number.POSITIVE_INFINITY) * default_duration;

/** The price per second (`unit`) and per video (`amount`); undefined where it is unknown. */
export function costOf(
  { prices }: Pick<OfferedModel, 'prices'>,
  resolution: keyof OfferedModel['prices'],
  seconds: number,
): { unit: number; amount: number } | undefined {
  const unit = prices[resolution];
  return unit === undefined ? undefined : { unit, amount: Math.round(unit * seconds * 1e6) / 1e6 };
}
