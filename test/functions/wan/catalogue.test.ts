import { describe, expect, test } from 'vitest';
import {
  describeDurations,
  findModel,
  models,
  offeredModelNames,
  takesDuration,
} from '../../../functions/wan/catalogue.ts';
import { outputSize } from '../../../functions/wan/output-size.ts';
import { priceOf } from '../../../functions/wan/prices.ts';
import { regionNames, regions } from '../../../functions/wan/regions.ts';

/** Copied from "Request body" of the reference. */
const reference = [
  ['wan2.6-i2v', '720P 1080P', '1080P', '5 10 15', 1500, true, true, 5],
  ['wan2.5-i2v-preview', '480P 720P 1080P', '1080P', '5 10', 1500, true, false, 5],
  ['wan2.2-i2v-plus', '480P 1080P', '1080P', '5', 800, false, false, 2],
  ['wan2.2-i2v-flash', '480P 720P', '720P', '5', 800, false, false, 2],
  ['wan2.1-i2v-turbo', '480P 720P', '720P', '3 4 5', 800, false, false, 2],
  ['wan2.1-i2v-plus', '720P', '720P', '5', 800, false, false, 2],
] as const;

describe('the catalogue', () => {
  test.each(reference)(
    '%s has the limits of the reference',
    (name, tiers, tier, seconds, prompt, audio, shots, rate) => {
      const model = findModel(name);
      expect(model.resolutions).toEqual(tiers.split(' '));
      expect(model.default_resolution).toBe(tier);
      const accepted = Array.from({ length: 40 }, (_, value) => value).filter((value) =>
        takesDuration(model.durations, value),
      );
      expect(accepted).toEqual(seconds.split(' ').map(Number));
      expect(model).toMatchObject({
        durations: { default: 5 },
        prompt_limit: prompt,
        negative_prompt_limit: 500,
        audio,
        shot_type: shots,
        image: { min_side: 360, max_side: 2000, max_bytes: 10 * 1024 * 1024 },
        rate_limits: { submits_per_second: rate, concurrent_tasks: rate },
        wire_format: 'img_url',
      });
    },
  );

  test('offers the models of the reference and keeps later ones as previews', () => {
    expect(offeredModelNames).toEqual(reference.map(([name]) => name));
    expect(models.filter(({ preview }) => preview).map(({ name }) => name)).toEqual(['wan2.6-i2v-flash', 'wan2.7-i2v']);
    expect(describeDurations(findModel('wan2.7-i2v').durations)).toBe('2 to 15');
  });

  test('does not find inherited properties of objects', () => {
    for (const name of ['constructor', '__proto__', 'toString', '', 'wan2.6']) expect(findModel(name)).toBeUndefined();
  });
});

describe('outputSize', () => {
  test('matches the example of the reference', () => {
    expect(outputSize({ width: 750, height: 1000 }, '720P')).toEqual({ width: 816, height: 1104 });
  });

  test('keeps to multiples of 16 and the area of the tier for every accepted image', () => {
    for (let width = 360; width <= 2000; width += 41) {
      for (let height = 360; height <= 2000; height += 37) {
        for (const [tier, area] of [['480P', 399_360] as const, ['1080P', 2_073_600] as const]) {
          const size = outputSize({ width, height }, tier);
          expect(size.width % 16 || size.height % 16).toBe(0);
          expect(size.width * size.height).toBeLessThanOrEqual(area);
          expect(size.width * size.height).toBeGreaterThan(area * 0.85);
        }
      }
    }
  });
});

describe('priceOf', () => {
  test.each([
    ['wan2.6-i2v', '720P', 15, 'singapore', 1.5, 'USD'],
    ['wan2.6-i2v', '1080P', 5, 'beijing', 5, 'CNY'],
    ['wan2.2-i2v-flash', '480P', 5, 'singapore', 0.075, 'USD'],
    ['wan2.1-i2v-turbo', '720P', 3, 'singapore', 0.108, 'USD'],
    ['wan2.1-i2v-plus', '720P', 5, 'beijing', 3.5, 'CNY'],
  ] as const)('%s %s %i s in %s costs %d %s', (model, tier, seconds, region, amount, currency) => {
    expect(priceOf(model, tier, seconds, region)).toMatchObject({ amount, currency, seconds, as_of: '2025-12-29' });
  });

  test('has a price for every offered tier in every region', () => {
    for (const name of offeredModelNames) {
      for (const tier of findModel(name).resolutions) {
        for (const region of regionNames) expect(priceOf(name, tier, 5, region)).toBeDefined();
      }
    }
  });

  test('returns undefined for an unknown price', () => {
    expect(priceOf('wan2.7-i2v', '720P', 5, 'singapore')).toBeUndefined();
    expect(priceOf('wan2.1-i2v-plus', '1080P', 5, 'singapore')).toBeUndefined();
  });

  test('uses the prices of the deployment', () => {
    const table = { as_of: '2026-02-01', prices: { 'wan2.7-i2v': { singapore: { '720P': 0.2 } } } } as const;
    expect(priceOf('wan2.7-i2v', '720P', 4, 'singapore', table)).toEqual({
      ...{ amount: 0.8, currency: 'USD', unit_price: 0.2, seconds: 4, as_of: '2026-02-01' },
    });
  });

  test('every region has a base URL and a currency', () => {
    expect(regions.singapore).toEqual({ base_url: 'https://dashscope-intl.aliyuncs.com/api/v1', currency: 'USD' });
    expect(regions.beijing).toEqual({ base_url: 'https://dashscope.aliyuncs.com/api/v1', currency: 'CNY' });
  });
});
