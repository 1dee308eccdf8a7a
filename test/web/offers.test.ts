import { describe, expect, test } from 'vitest';
import { consoleSettings } from '../../functions/api/pages/console.ts';
import { priceOf } from '../../functions/wan/prices.ts';
import { byCost, commonLimits, costOf } from '../../web/offers.ts';

const { models } = consoleSettings('singapore');

test('the cheapest comes first, so that nobody spends much by accident, and one without a price last', () => {
  const [dear, ...others] = models;
  const sorted = byCost([{ ...dear!, prices: {} }, ...others]);
  expect(sorted[0]!.name).toBe('wan2.2-i2v-flash');
  expect(sorted.at(-1)!.name).toBe(dear!.name);
});

describe('the price that is shown', () => {
  const offered = models.flatMap((model) =>
    model.resolutions.flatMap((resolution) => model.durations.map((seconds) => ({ model, resolution, seconds }))),
  );
  test.each(offered)(
    'of $model.name, $resolution, $seconds s is the one that the API reckons',
    ({ model, resolution, seconds }) => {
      const price = priceOf(model.name as Parameters<typeof priceOf>[0], resolution, seconds, 'singapore');
      expect(costOf(model, resolution, seconds)?.amount).toBe(price?.amount);
    },
  );
});

test('a picture within the limits is taken by every model', () => {
  const [one, other] = models;
  const image = { min_side: 240, max_side: 8000, max_bytes: 20 };
  expect(commonLimits([one!, { ...other!, image }])).toEqual({ ...one!.image, max_bytes: 20 });
});
