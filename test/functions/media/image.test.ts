import { beforeAll, describe, expect, test } from 'vitest';
import { decodeDataUrl } from '../../../functions/media/data-url.ts';
import { inspectImage } from '../../../functions/media/image.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { bmp, ffmpegFile, picture, png, pngChunk, webp } from './support.ts';

let jpeg: Buffer;
beforeAll(async () => {
  jpeg = await ffmpegFile('a.jpg', ...picture('400x360', 1), '-frames:v', '1');
});

const codes = (bytes: Uint8Array, size = bytes.byteLength) => {
  const inspected = inspectImage(bytes, size);
  return inspected.ok ? [] : inspected.issues.map(({ code }) => code);
};

describe('inspectImage', () => {
  test.each([
    ['png', () => png(360, 2000), { width: 360, height: 2000, content_type: 'image/png' }],
    ['jpeg', () => jpeg, { width: 400, height: 360, content_type: 'image/jpeg' }],
    ['bmp', () => bmp(361, 400), { width: 361, height: 400, content_type: 'image/bmp' }],
    ['webp', () => webp(500, 600), { width: 500, height: 600, content_type: 'image/webp' }],
    ['webp', () => webp(500, 600, { alpha: true }), { width: 500, height: 600, content_type: 'image/webp' }],
  ] as const)('a %s is known by its bytes', (_, make, expected) => {
    const bytes = make();
    expect(inspectImage(bytes, bytes.length)).toEqual({ ok: true, ...expected });
  });

  test.each([
    [359, 400, false],
    [360, 360, true],
    [2000, 2000, true],
    [2001, 400, false],
    [400, 359, false],
  ])('sides of %i × %i pixels: taken %s', (width, height, taken) => {
    expect(codes(png(width, height))).toEqual(taken ? [] : ['image_dimensions']);
  });

  test.each([
    ['RGBA', png(400, 400, { colorType: 6 })],
    ['a palette with tRNS', png(400, 400, { colorType: 3, transparent: true })],
    ['RGB with tRNS', png(400, 400, { transparent: true })],
  ])('a PNG with an alpha channel is refused: %s', (_, bytes) => {
    expect(codes(bytes)).toEqual(['image_has_alpha']);
  });

  test('a palette without transparency is taken', () => {
    expect(codes(png(400, 400, { colorType: 3 }))).toEqual([]);
  });

  test('the first part of a file is enough for its size', () => {
    const bytes = png(400, 500);
    expect(inspectImage(bytes.subarray(0, 200), bytes.length)).toMatchObject({ ok: true, width: 400, height: 500 });
    expect(inspectImage(jpeg.subarray(0, 2000), jpeg.length)).toMatchObject({ ok: true, width: 400, height: 360 });
  });

  test('every issue is named at once', () => {
    const bytes = png(100, 100, { colorType: 6 });
    expect(codes(bytes, 10 * 1024 * 1024 + 1)).toEqual(['image_too_large', 'image_dimensions', 'image_has_alpha']);
  });

  test.each([
    ['an empty file', '', 'image_empty'],
    ['a GIF', 'GIF89a0000000000', 'unsupported_image_type'],
    ['a text', 'not a picture at all', 'unsupported_image_type'],
  ])('%s is refused by name', (_, text, code) => {
    expect(codes(Buffer.from(text))).toEqual([code]);
  });

  test("other limits can be given, a model's", () => {
    const bytes = png(250, 250);
    expect(inspectImage(bytes, bytes.length, { min_side: 240, max_side: 8000, max_bytes: 1e7 }).ok).toBe(true);
  });

  test('damaged headers never throw', () => {
    const random = seededRandom(1);
    const originals = [
      png(400, 400).subarray(0, 400),
      jpeg.subarray(0, 1500),
      bmp(400, 400).subarray(0, 200),
      webp(400, 400),
    ];
    for (let round = 0; round < 2000; round += 1) {
      const bytes = Buffer.from(originals[round % originals.length]!);
      for (let change = 0; change < 1 + random() * 8; change += 1) {
        bytes[2 + Math.floor(random() * (bytes.length - 2))] = Math.floor(random() * 256);
      }
      const cut = bytes.subarray(0, Math.ceil(random() * bytes.length));
      expect(inspectImage(cut, random() < 0.5 ? cut.length : bytes.length * 50)).toHaveProperty('ok');
    }
  });

  test.each([
    ['claims more than the file has', lying()],
    ['is empty, again and again', manyChunks()],
  ])('a chunk that %s ends the search for an alpha channel', (_, bytes) => {
    expect(codes(bytes)).toEqual([]);
  });
});

function lying(): Buffer {
  const bytes = png(400, 400);
  bytes.writeUInt32BE(0xffffffff, 33);
  return bytes;
}

const manyChunks = (): Buffer =>
  Buffer.concat([
    png(400, 400).subarray(0, 33),
    ...Array.from({ length: 2000 }, () => pngChunk('teXt', Buffer.alloc(0))),
  ]);

describe('decodeDataUrl', () => {
  const bytes = png(360, 360);
  const base64 = bytes.toString('base64');

  test('gives the bytes back', () => {
    const decoded = decodeDataUrl(`data:image/png;base64,${base64}`);
    expect(decoded).toEqual({ ok: true, content_type: 'image/png', bytes });
  });

  test('image/jpg, which is no MIME type but is in use, is JPEG', () => {
    expect(decodeDataUrl('data:image/jpg;base64,/9j/')).toMatchObject({ ok: true, content_type: 'image/jpeg' });
  });

  test.each([
    ['no data URL', 'https://example.com/a.png', 'invalid_data_url'],
    ['no base64', 'data:image/png,abc', 'invalid_data_url'],
    ['parameters', 'data:image/png;charset=x;base64,AAAA', 'invalid_data_url'],
    ['another type', 'data:image/gif;base64,AAAA', 'unsupported_image_type'],
    ['a page', 'data:text/html;base64,AAAA', 'unsupported_image_type'],
    ['nothing', 'data:image/png;base64,', 'image_empty'],
    ['a missing pad', 'data:image/png;base64,AAA', 'invalid_data_url'],
    ['too many pads', 'data:image/png;base64,A===', 'invalid_data_url'],
    ['a pad within', 'data:image/png;base64,AA==AAAA', 'invalid_data_url'],
    ['stray bits', 'data:image/png;base64,AAB=', 'invalid_data_url'],
    ['a space', 'data:image/png;base64,AA A', 'invalid_data_url'],
    ['a line break', 'data:image/png;base64,AAAA\nAAA', 'invalid_data_url'],
    ['the URL alphabet', 'data:image/png;base64,AA-_', 'invalid_data_url'],
  ])('base64 is strict: %s', (_, url, code) => {
    expect(decodeDataUrl(url)).toMatchObject({ ok: false, issues: [{ code }] });
  });

  test('the limit is of the picture, not of its encoding', () => {
    const url = (length: number) => `data:image/bmp;base64,${Buffer.alloc(length, 1).toString('base64')}`;
    expect(decodeDataUrl(url(1000), 1000).ok).toBe(true);
    expect(decodeDataUrl(url(1001), 1000)).toMatchObject({ issues: [{ code: 'image_too_large' }] });
  });

  test('a large text is read without a large stack', () => {
    const url = `data:image/png;base64,${'A'.repeat(40_000_000)}!`;
    expect(decodeDataUrl(`${url}AAA`, 1e9)).toMatchObject({ issues: [{ code: 'invalid_data_url' }] });
  });
});
