import { describe, expect, test } from 'vitest';
import { consoleSettings } from '../../functions/api/pages/console.ts';
import { priceOf } from '../../functions/wan/prices.ts';
import { byCost, costOf } from '../../web/prices.ts';
import { everyModel } from '../support/videos.ts';

const { models } = consoleSettings(everyModel);

test('sorts the cheapest model first, and one without a price last', () => {
  const [dear, ...others] = models;
  const sorted = byCost([{ ...dear!, prices: {} }, ...others]);
  expect(sorted[0]!.name).toBe('wan2.2-i2v-flash');
  expect(sorted.at(-1)!.name).toBe(dear!.name);
});

describe('the shown price', () => {
  const offered = models.flatMap((model) =>
    model.resolutions.flatMap((resolution) => model.durations.map((seconds) => ({ model, resolution, seconds }))),
  );
  test.each(offered)('of $model.name, $resolution, $seconds s is the API’s', ({ model, resolution, seconds }) => {
    const price = priceOf(model.name as Parameters<typeof priceOf>[0], resolution, seconds, everyModel);
    expect(costOf(model, resolution, seconds)?.amount).toBe(price?.amount);
  });
});
