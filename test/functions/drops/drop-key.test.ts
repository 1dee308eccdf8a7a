import { describe, expect, test } from 'vitest';
import { defaultsKeys, imageOfSidecar, kindOf, sidecarKeys } from '../../../functions/drops/drop-key.ts';

describe('what an object is, by its key', () => {
  test.each([
    ['drop/cat.png', 'image'],
    ['drop/CAT.JPG', 'image'],
    ['drop/a b/c+d%20.WebP', 'image'],
    ['drop/cat.gif', 'image'],
    ['drop/cat.png.json', 'sidecar'],
    ['drop/CAT.JPG.JSON', 'sidecar'],
    ['drop/cat.gif.json', 'sidecar'],
    ['drop/cat.json', 'other'],
    ['drop/cat.png.result.json', 'other'],
    ['drop/cat.png.json.result.json', 'other'],
    ['drop/cat.png.mp4', 'other'],
    ['drop/manifest.jsonl', 'manifest'],
    ['drop/a/b/manifest.jsonl', 'manifest'],
    ['drop/my-manifest.jsonl', 'other'],
    ['drop/manifest.jsonl.results/000001.json', 'other'],
    ['drop/manifest.jsonl.results/summary.json', 'other'],
    ['drop/manifest.jsonl/cat.png', 'image'],
    ['drop/_defaults.json', 'other'],
    ['drop/cat.png/', 'other'],
    ['drop/a/._cat.png', 'other'],
    ['drop/a/._cat.png.json', 'other'],
    ['drop/_images/cat.png', 'other'],
    ['drop/a/_images/b/cat.png.json', 'other'],
    ['drop/a/_images/manifest.jsonl', 'manifest'],
    ['drop/_images.png', 'image'],
    ['drop/my_images/cat.png', 'image'],
    ['drop/_IMAGES/_DSC0001.JPG', 'image'],
    ['drop/cat.png.result.json.png', 'image'],
    ['dropped/cat.png', 'other'],
  ])('%s: %s', (key, kind) => {
    expect(kindOf(key)).toBe(kind);
  });
});

test('a sidecar is named like its image, in every sign of it', () => {
  for (const image of ['drop/a+b %2f/e\u0301.PNG', 'drop/é.png', 'drop/x.JPEG']) {
    expect(sidecarKeys(image)).toEqual([`${image}.json`, `${image}.JSON`]);
    for (const key of sidecarKeys(image)) expect(imageOfSidecar(key)).toBe(image);
  }
});

test('defaults are looked for in the image’s folder, then in each above it, and not outside the drop folder', () => {
  expect(defaultsKeys('drop/a/b//c.png')).toEqual([
    'drop/a/b//_defaults.json',
    'drop/a/b/_defaults.json',
    'drop/a/_defaults.json',
    'drop/_defaults.json',
  ]);
  expect(defaultsKeys('drop/c.png')).toEqual(['drop/_defaults.json']);
});

test('no key is asked for that S3 would refuse for its length', () => {
  const image = `drop/${'é'.repeat(500)}/${'x'.repeat(13)}.png`;
  expect(Buffer.byteLength(image)).toBeGreaterThan(1019);
  expect(sidecarKeys(image)).toEqual([]);
  expect(defaultsKeys(image)).toEqual([`drop/${'é'.repeat(500)}/_defaults.json`, 'drop/_defaults.json']);
});
