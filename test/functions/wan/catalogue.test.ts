import { describe, expect, test } from 'vitest';
import { findModel, type ModelName, models } from '../../../functions/wan/catalogue.ts';
import { rowOf } from '../../../functions/wan/changes.ts';
import { describeDurations, outputSize, takesDuration } from '../../../functions/wan/output.ts';
import {
  billableSeconds,
  type Deployment,
  missingSettings,
  offeredModels,
  priceOf,
} from '../../../functions/wan/prices.ts';
import { regionNames, regions, workspaceBaseUrl } from '../../../functions/wan/regions.ts';
import { aDeployment, everyModel } from '../../support/videos.ts';

/** Copied from "Request body" of the reference. */
const reference = [
  ['wan2.6-i2v', '720P 1080P', '1080P', '5 10 15', 1500, true, true, 5],
  ['wan2.5-i2v-preview', '480P 720P 1080P', '1080P', '5 10', 1500, true, false, 5],
  ['wan2.2-i2v-plus', '480P 1080P', '1080P', '5', 800, false, false, 2],
  ['wan2.2-i2v-flash', '480P 720P', '720P', '5', 800, false, false, 2],
  ['wan2.1-i2v-turbo', '480P 720P', '720P', '3 4 5', 800, false, false, 2],
  ['wan2.1-i2v-plus', '720P', '720P', '5', 800, false, false, 2],
] as const;

const offeredNames = (deployment: Deployment) => offeredModels(deployment).map(({ name }) => name);

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

  test('offers what has a price in the region and the domain that it needs', () => {
    const names = reference.map(([name]) => name);
    expect(offeredNames(aDeployment())).toEqual([...names, 'wan2.7-i2v', 'wan2.7-i2v-2026-04-25']);
    expect(offeredNames(aDeployment('beijing'))).toEqual(names);
    expect(offeredNames(everyModel)).toEqual(models.map(({ name }) => name));
    const emulator = { ...aDeployment(), base_url: 'http://127.0.0.1:4401/api/v1' };
    expect(offeredNames(emulator)).toContain('wan3.0-video');
    const beijing = { ...aDeployment('beijing'), base_url: workspaceBaseUrl('ws-1', 'beijing') };
    expect(offeredNames(beijing)).toEqual([...names, 'wan3.0-video', 'wan3.0-video-prime']);
  });

  test.each<[ModelName, RegExp[]]>([
    ['wan2.6-i2v', []],
    ['wan2.6-i2v-flash', [/price in singapore.*720P, 1080P.*"prices"/]],
    ['wan3.0-video', [/workspace domain.*"workspaceId"/]],
    ['wan3.0-video-prime', [/workspace domain.*"workspaceId"/, /price in singapore.*"prices"/]],
  ])('names the settings that %s lacks', (name, expected) => {
    const missing = missingSettings(rowOf(name)!, aDeployment());
    expect(missing).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(missing[index]).toMatch(pattern);
  });

  test('describes durations', () => {
    expect(describeDurations(findModel('wan2.7-i2v').durations)).toBe('2 to 15');
    expect(describeDurations(findModel('wan2.6-i2v').durations)).toBe('5, 10 or 15');
    expect(describeDurations(findModel('wan3.0-video').durations)).toBe('2 to 30, or -1 to let the model choose');
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
    expect(priceOf(model, tier, seconds, aDeployment(region))).toMatchObject({
      amount,
      currency,
      seconds,
      as_of: '2025-12-29',
    });
  });

  test('has a price for every offered tier in every region', () => {
    for (const region of regionNames) {
      for (const { name, resolutions } of offeredModels(aDeployment(region))) {
        for (const tier of resolutions) {
          expect(priceOf(name, tier, 5, aDeployment(region))).toBeDefined();
        }
      }
    }
  });

  test('returns undefined for an unknown price', () => {
    expect(priceOf('wan2.7-i2v', '720P', 5, aDeployment('beijing'))).toBeUndefined();
    expect(priceOf('wan3.0-video-prime', '720P', 5, aDeployment())).toBeUndefined();
    expect(priceOf('wan2.1-i2v-plus', '1080P', 5, aDeployment())).toBeUndefined();
  });

  test('uses the prices of the deployment', () => {
    const deployment = { ...aDeployment(), prices: { 'wan2.7-i2v': { '720P': 0.2 } } };
    expect(priceOf('wan2.7-i2v', '720P', 4, deployment)).toEqual({
      ...{ amount: 0.8, currency: 'USD', unit_price: 0.2, seconds: 4, as_of: 'configured' },
    });
  });

  test('every region has a base URL and a currency', () => {
    expect(regions.singapore).toMatchObject({
      base_url: 'https://dashscope-intl.aliyuncs.com/api/v1',
      currency: 'USD',
    });
    expect(regions.beijing).toMatchObject({ base_url: 'https://dashscope.aliyuncs.com/api/v1', currency: 'CNY' });
  });
});

describe('billableSeconds', () => {
  test.each<[string, ModelName, number, [string, number?][], number]>([
    ['the output alone', 'wan2.6-i2v', 10, [['first_frame'], ['driving_audio', 30]], 10],
    ['the longest, when the model chooses', 'wan3.0-video', -1, [], 30],
    ['reference images for nothing', 'wan3.0-video', 5, [['reference_image'], ['reference_audio', 9]], 5],
    [
      'reference videos and the output',
      'wan3.0-video',
      5,
      [
        ['reference_video', 4],
        ['reference_video', 3],
      ],
      12,
    ],
    [
      'parts of a second rounded up',
      'wan3.0-video',
      5,
      [
        ['reference_video', 4.1],
        ['reference_video', 3.2],
      ],
      13,
    ],
    ['a reference video of unknown length as the longest', 'wan3.0-video', 5, [['reference_video']], 20],
    [
      'several of unknown length as the longest together',
      'wan3.0-video',
      5,
      [['reference_video'], ['reference_video']],
      20,
    ],
    ['at most what input and output may last', 'wan3.0-video', -1, [['reference_video', 4.5]], 30],
    ['a continuation as a whole', 'wan2.7-i2v', 12, [['first_clip', 8]], 12],
    ['a continuation that is shorter than its clip', 'wan2.7-i2v', 5, [['first_clip', 7.2], ['last_frame']], 8],
    ['a clip of unknown length as the longest', 'wan2.7-i2v', 5, [['first_clip']], 10],
  ])('counts %s', (_, model, duration, media, expected) => {
    const measured = media.map(([type, duration_seconds]) => ({ type, duration_seconds }) as never);
    expect(billableSeconds(findModel(model), duration, measured)).toBe(expected);
  });
});
