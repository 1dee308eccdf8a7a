import { describe, expect, test } from 'vitest';
import { consoleSettings } from '../../functions/api/pages/console.ts';
import { sampleImage } from '../../local/demo/sample-image.ts';
import {
  commonLimits,
  type ImageFacts,
  imageType,
  jpegOrientation,
  planImage,
  pngHasAlpha,
} from '../../web/image-plan.ts';
import { aDeployment } from '../support/videos.ts';
import { jpegWithOrientation } from './rotated-jpeg.ts';

const limits = { min_side: 360, max_side: 2000, max_bytes: 4 * 1024 * 1024 };
const photo = { type: 'image/jpeg', width: 1600, height: 1000, bytes: 500_000, alpha: false, rotated: false };
const plan = (facts: Partial<ImageFacts>) => planImage({ ...photo, ...facts }, limits);

describe('an image', () => {
  test.each([{ width: 360, height: 2000 }, { width: 2000, height: 2000, bytes: limits.max_bytes }, {}])(
    'within the limits is sent unchanged: %j',
    (facts) => {
      expect(plan(facts)).toEqual({ kind: 'keep' });
    },
  );

  test.each<[string, Partial<ImageFacts>, { width: number; height: number }, string]>([
    ['with too many pixels is scaled', { width: 4032, height: 3024 }, { width: 2000, height: 1500 }, '4032 × 3024'],
    ['one pixel too wide is scaled', { width: 2001, height: 1000 }, { width: 2000, height: 1000 }, '2001 × 1000'],
    ['with too many bytes is compressed', { bytes: limits.max_bytes + 1 }, { width: 1600, height: 1000 }, '4.2 MB'],
    ['that may be transparent is drawn on white', { alpha: true }, { width: 1600, height: 1000 }, 'transparent'],
    ['rotated by EXIF is redrawn upright', { rotated: true }, { width: 1600, height: 1000 }, 'upright'],
    ['of a type that Wan does not read is converted', { type: undefined }, { width: 1600, height: 1000 }, 'JPEG'],
  ])('%s, and the note explains it', (_what, facts, size, text) => {
    expect(plan(facts)).toEqual({ kind: 'redraw', ...size, note: expect.stringContaining(text) });
  });

  test.each<[string, Partial<ImageFacts>, string]>([
    ['that is too small is rejected', { width: 359, height: 2000 }, 'at least 360'],
    ['that would be too small after scaling is rejected', { width: 12000, height: 1800 }, '5.5 times'],
  ])('%s, and the message explains how to fix it', (_what, facts, text) => {
    expect(plan(facts)).toEqual({ kind: 'reject', message: expect.stringContaining(text) });
  });
});

describe('a file', () => {
  test.each([
    ['image/jpeg', [0xff, 0xd8, 0xff, 0xe0]],
    ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
    ['image/bmp', [0x42, 0x4d]],
    ['image/webp', [...Buffer.from('RIFF\0\0\0\0WEBP')]],
    [undefined, [...Buffer.from('GIF89a')]],
    [undefined, []],
  ])('is %s by its first bytes', (type, bytes) => {
    expect(imageType(Uint8Array.from(bytes))).toBe(type);
  });

  const chunk = (type: string, length: number) => {
    const bytes = Buffer.alloc(12 + length);
    bytes.writeUInt32BE(length);
    bytes.write(type, 4);
    return bytes;
  };
  /** A PNG of a color type, with chunks between header and pixels. */
  const pngWith = (colorType: number, ...chunks: Buffer[]) => {
    const header = chunk('IHDR', 13);
    header[17] = colorType;
    return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), header, ...chunks, chunk('IDAT', 4)]);
  };
  test.each([
    [false, 'a real image', sampleImage(16, 16)],
    [false, 'RGB', pngWith(2)],
    [true, 'RGB and alpha', pngWith(6)],
    [true, 'grey and alpha', pngWith(4)],
    [true, 'a palette with transparent colors', pngWith(3, chunk('PLTE', 6), chunk('tRNS', 2))],
    [false, 'an opaque palette', pngWith(3, chunk('PLTE', 6))],
    [false, 'a truncated file', pngWith(2).subarray(0, 40)],
  ])('may be transparent %s: %s', (alpha, _what, bytes) => {
    expect(pngHasAlpha(bytes)).toBe(alpha);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('has EXIF orientation %i', (orientation) => {
    for (const order of ['II', 'MM'] as const)
      expect(jpegOrientation(jpegWithOrientation(orientation, order))).toBe(orientation);
  });

  test.each([
    ['without EXIF', Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xda])],
    ['with an unknown orientation', jpegWithOrientation(9)],
    ['that is truncated within EXIF', jpegWithOrientation(6).subarray(0, 30)],
    ['that is empty', new Uint8Array()],
  ])('%s counts as upright', (_what, bytes) => {
    expect(jpegOrientation(bytes)).toBe(1);
  });
});

test('an image within the common limits is valid for every model', () => {
  const [one, other] = consoleSettings(aDeployment()).models;
  const image = { min_side: 240, max_side: 8000, max_bytes: 20 };
  expect(commonLimits([one!, { ...other!, image }])).toEqual({ ...one!.image, max_bytes: 20 });
});
