import { describe, expect, test } from 'vitest';
import { sampleImage } from '../../local/demo/sample-image.ts';
import { type PictureFacts, pictureType, planPicture, pngHasAlpha, sizeInWords } from '../../web/picture-plan.ts';

const limits = { min_side: 360, max_side: 2000, max_bytes: 4 * 1024 * 1024 };
const plan = (facts: Partial<PictureFacts>) =>
  planPicture({ type: 'image/jpeg', width: 1600, height: 1000, bytes: 500_000, alpha: false, ...facts }, limits);

describe('a picture', () => {
  test.each([{ width: 360, height: 2000 }, { width: 2000, height: 2000, bytes: limits.max_bytes }, {}])(
    'within the limits goes as it is: %j',
    (facts) => {
      expect(plan(facts)).toEqual({ kind: 'keep' });
    },
  );

  test.each<[string, Partial<PictureFacts>, { width: number; height: number }, string]>([
    ['with too many pixels is scaled', { width: 4032, height: 3024 }, { width: 2000, height: 1500 }, '4032 × 3024'],
    ['one pixel too wide is scaled', { width: 2001, height: 1000 }, { width: 2000, height: 1000 }, '2001 × 1000'],
    ['with too many bytes is compressed', { bytes: limits.max_bytes + 1 }, { width: 1600, height: 1000 }, '4.2 MB'],
    ['that can be transparent gets a ground', { alpha: true }, { width: 1600, height: 1000 }, 'transparent'],
    ['that Wan does not read is converted', { type: undefined }, { width: 1600, height: 1000 }, 'JPEG'],
  ])('%s, and says so', (_what, facts, size, words) => {
    expect(plan(facts)).toEqual({ kind: 'redraw', ...size, note: expect.stringContaining(words) });
  });

  test.each<[string, Partial<PictureFacts>, string]>([
    ['that is too small is refused', { width: 359, height: 2000 }, 'at least 360'],
    ['that would be too small when it fits is refused', { width: 12000, height: 1800 }, '5.5 times'],
  ])('%s, and says how to mend it', (_what, facts, words) => {
    expect(plan(facts)).toEqual({ kind: 'refuse', message: expect.stringContaining(words) });
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
  ])('is %s by its bytes', (type, bytes) => {
    expect(pictureType(Uint8Array.from(bytes))).toBe(type);
  });

  const chunk = (type: string, length: number) => {
    const bytes = Buffer.alloc(12 + length);
    bytes.writeUInt32BE(length);
    bytes.write(type, 4);
    return bytes;
  };
  /** Of a colour type, with chunks between its header and its pixels. */
  const pngWith = (colourType: number, ...chunks: Buffer[]) => {
    const header = chunk('IHDR', 13);
    header[17] = colourType;
    return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), header, ...chunks, chunk('IDAT', 4)]);
  };
  test.each([
    [false, 'a real picture without it', sampleImage(16, 16)],
    [false, 'RGB', pngWith(2)],
    [true, 'RGB and alpha', pngWith(6)],
    [true, 'grey and alpha', pngWith(4)],
    [true, 'a palette with transparent colours', pngWith(3, chunk('PLTE', 6), chunk('tRNS', 2))],
    [false, 'a palette without', pngWith(3, chunk('PLTE', 6))],
    [false, 'a file that breaks off', pngWith(2).subarray(0, 40)],
  ])('has transparency %s: %s', (alpha, _what, bytes) => {
    expect(pngHasAlpha(bytes)).toBe(alpha);
  });

  test.each([
    [1, '1 KB'],
    [812_400, '812 KB'],
    [4_194_304, '4.2 MB'],
  ])('of %i bytes has %s', (bytes, words) => {
    expect(sizeInWords(bytes)).toBe(words);
  });
});
