import { describe, expect, test } from 'vitest';
import { type ImageLimits, inspectImage } from '../../../functions/media/image.ts';
import {
  app1,
  bmp,
  chunk,
  exif,
  frameControl,
  imageVariant,
  jpeg,
  png,
  segment,
  vp8,
  webp,
} from '../../support/image-variants.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const size = { width: 640, height: 400 };

/** Codes of the issues, or of the warnings with a mark. */
function codes(bytes: Uint8Array, length = bytes.byteLength, limits?: ImageLimits): string[] {
  const inspected = inspectImage(bytes, length, limits);
  return inspected.ok ? inspected.warnings.map(({ code }) => `! ${code}`) : inspected.issues.map(({ code }) => code);
}

function messageOf(bytes: Uint8Array, code: string, limits?: ImageLimits): string {
  const inspected = inspectImage(bytes, bytes.byteLength, limits);
  const found = inspected.ok ? inspected.warnings : inspected.issues;
  return found.find((issue) => issue.code === code)?.message ?? '';
}

const short = segment(0xe2, Buffer.from('a segment that is longer than it declares', 'latin1'));
short.writeUInt16BE(20, 2);
const withoutOffset = bmp(size);
withoutOffset.writeUInt32LE(0, 10);
const brokenChecksum = chunk('tEXt', Buffer.from('Comment\0wrong'));
brokenChecksum.writeUInt32BE(1, brokenChecksum.length - 4);
const animation = chunk('acTL', Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]));

describe('inspectImage accepts', () => {
  test.each<[string, Buffer]>([
    ['image/jpeg', jpeg(size)],
    ['image/png', png(size)],
    ['image/bmp', bmp(size)],
    ['image/webp', webp(size)],
  ])('%s by its bytes', (content_type, bytes) => {
    const facts = { content_type, bytes: bytes.length, ...size };
    expect(inspectImage(bytes, bytes.length)).toEqual({ ok: true, facts, warnings: [] });
  });

  test.each<[string, Buffer]>([
    ['a JPEG with fill bytes', jpeg({ ...size, before: [Buffer.alloc(5, 0xff)] })],
    ['a JPEG with fill bytes before its frame header', jpeg({ ...size, beforeFrame: Buffer.alloc(3, 0xff) })],
    ['a JPEG with zeros after a segment', jpeg({ ...size, before: [app1(1), Buffer.alloc(2)] })],
    ['a JPEG with other stray bytes', jpeg({ ...size, before: [app1(1), Buffer.from('stray')] })],
    ['a JPEG with a segment length that is too short', jpeg({ ...size, before: [short] })],
    ['a JPEG with a segment length of 0', jpeg({ ...size, before: [Buffer.from([0xff, 0xe5, 0, 0])] })],
    [
      'a JPEG with 200 KB before its frame header',
      jpeg({ ...size, before: Array(4).fill(segment(0xe2, Buffer.alloc(5e4))) }),
    ],
    ['a progressive JPEG with restart markers', jpeg({ ...size, progressive: true, restartInterval: 7 })],
    ['a gray JPEG', jpeg({ ...size, components: 1 })],
    ['a CMYK JPEG', jpeg({ ...size, components: 4 })],
    ['a JPEG with bytes after its end', jpeg({ ...size, after: Buffer.alloc(99) })],
    ['a PNG with a palette', png({ ...size, colorType: 3, bitDepth: 1 })],
    ['a PNG of 16 bits', png({ ...size, bitDepth: 16 })],
    ['an interlaced PNG', png({ ...size, interlaced: true })],
    ['a PNG with a wrong checksum', png({ ...size, before: [brokenChecksum] })],
    ['a PNG with bytes after its end', png({ ...size, after: Buffer.alloc(99) })],
    ['an OS/2 BMP', bmp({ ...size, header: 12 })],
    ['an OS/2 BMP of the second version', bmp({ ...size, header: 64 })],
    ['a short OS/2 BMP of the second version', bmp({ ...size, header: 16 })],
    ['a BMP of Windows 95', bmp({ ...size, header: 108 })],
    ['a BMP of Windows 98', bmp({ ...size, header: 124, bits: 32 })],
    ['a BMP with run-length encoding', bmp({ ...size, rle: true })],
    ['a BMP with a wrong size of its runs', bmp({ ...size, rle: true, imageSize: 7 })],
    ['a BMP from top to bottom', bmp({ ...size, topDown: true })],
    ['a BMP that declares no file size', bmp({ ...size, declaredSize: 0 })],
    ['a BMP that declares no offset', withoutOffset],
    ['a lossy WEBP', webp({ ...size, lossy: true })],
    ['a WEBP with metadata', webp({ ...size, xmp: true, icc: true })],
    ['a WEBP with bytes after its end', webp({ ...size, after: Buffer.alloc(99) })],
    ['a WEBP without its last pad byte', webp({ ...size, xmp: true }).subarray(0, -1)],
  ])('%s', (_kind, bytes) => {
    expect(codes(bytes)).toEqual([]);
  });

  test('400 images in the forms that programs write and decoders show', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 400; round += 1) {
      const { name, bytes, width, height, orientation = 1 } = imageVariant(random);
      const inspected = inspectImage(bytes, bytes.length);
      expect({ name, inspected }).toMatchObject({ inspected: { ok: true, facts: { width, height } } });
      expect({ name, isTurned: codes(bytes).includes('! image_rotated_by_exif') }).toEqual({
        name,
        isTurned: orientation > 1,
      });
    }
  });
});

describe('inspectImage refuses', () => {
  test.each([
    [359, 400, ['image_dimensions']],
    [360, 360, []],
    [2000, 2000, []],
    [2001, 400, ['image_dimensions']],
    [400, 359, ['image_dimensions']],
  ])('sides of %i × %i pixels: %j', (width, height, expected) => {
    expect(codes(png({ width, height }))).toEqual(expected);
  });

  test.each<[string, Buffer]>([
    ['RGBA', png({ ...size, colorType: 6 })],
    ['gray with alpha', png({ ...size, colorType: 4 })],
    ['a palette with tRNS', png({ ...size, colorType: 3, before: [chunk('tRNS', Buffer.alloc(2))] })],
    ['RGB with tRNS', png({ ...size, before: [chunk('tRNS', Buffer.alloc(6))] })],
  ])('a PNG with an alpha channel: %s', (_kind, bytes) => {
    expect(codes(bytes)).toEqual(['image_has_alpha']);
    expect(messageOf(bytes, 'image_has_alpha')).toContain('-alpha off out.png');
  });

  test('a JPEG of 12 bits, which common decoders cannot read', () => {
    expect(codes(jpeg({ ...size, precision: 12 }))).toEqual(['unsupported_image_type']);
    expect(messageOf(jpeg({ ...size, precision: 12 }), 'unsupported_image_type')).toContain('12 bits');
  });

  test.each<[string, Buffer, code: string]>([
    ['an empty file', Buffer.alloc(0), 'image_empty'],
    ['a PNG without a header', png(size).subarray(0, 20), 'image_unreadable'],
    ['a JPEG without a frame', Buffer.from('ffd8ffd9', 'hex'), 'image_unreadable'],
    [
      'a JPEG whose scan comes first',
      Buffer.concat([Buffer.from('ffd8', 'hex'), segment(0xda, Buffer.alloc(8))]),
      'image_unreadable',
    ],
    [
      'a WEBP of an unknown kind',
      Buffer.concat([Buffer.from('RIFF\x20\0\0\0WEBPVP9 '), Buffer.alloc(40)]),
      'image_unreadable',
    ],
    ['a BMP of no width', bmp({ width: 0, height: 400 }), 'image_unreadable'],
  ])('%s', (_kind, bytes, code) => {
    expect(codes(bytes)).toEqual([code]);
  });

  test('everything that is wrong with one image, each with a command', () => {
    const bytes = png({ width: 4000, height: 3000, colorType: 6 });
    expect(codes(bytes, 10 * 1024 * 1024 + 1)).toEqual(['image_too_large', 'image_dimensions', 'image_has_alpha']);
    const photo = Buffer.concat([jpeg({ width: 4000, height: 3000 }), Buffer.alloc(11e6)]);
    expect(codes(photo)).toEqual(['image_too_large', 'image_dimensions']);
    expect(messageOf(photo, 'image_too_large')).toMatch(/ \d{8} bytes.* 10485760.*magick in\.jpg -quality 85 out\.jpg/);
    expect(messageOf(photo, 'image_dimensions')).toContain(
      "4000 × 3000 pixels; each side must have 360 to 2000. Resize it: `magick in.jpg -resize '2000x2000>' out.jpg`.",
    );
  });

  test.each([
    [4000, 3000, "magick in.jpg -resize '2000x2000>' out.jpg"],
    [300, 200, "magick in.jpg -resize '360x360^' out.jpg"],
    [4000, 300, "magick in.jpg -resize '360x360^' -gravity center -crop '2000x2000+0+0' +repage out.jpg"],
  ])('%i × %i pixels with the command that makes them fit: %s', (width, height, command) => {
    expect(messageOf(jpeg({ width, height }), 'image_dimensions')).toContain(`Resize it: \`${command}\`.`);
  });

  test("what is outside of a model's limits", () => {
    const limits = { min_side: 240, max_side: 8000, max_bytes: 1e7 };
    expect(codes(png({ width: 250, height: 7000 }), 1000, limits)).toEqual([]);
    expect(codes(png({ width: 239, height: 8001 }), 1e8, limits)).toEqual(['image_too_large', 'image_dimensions']);
  });
});

describe('inspectImage warns about', () => {
  test.each<[string, Buffer]>([
    ['a JPEG', jpeg({ ...size, before: [app1(6)] })],
    ['a JPEG, big-endian', jpeg({ ...size, before: [app1(8, { littleEndian: false })] })],
    ['a JPEG after stray bytes', jpeg({ ...size, before: [short, Buffer.alloc(3), app1(3)] })],
    ['a JPEG whose directory is not at the beginning', jpeg({ ...size, before: [app1(2, { filler: 500 })] })],
    ['a PNG', png({ ...size, before: [chunk('eXIf', exif(6))] })],
    ['a WEBP', webp({ ...size, orientation: 5 })],
  ])('an EXIF orientation: %s', (_kind, bytes) => {
    expect(codes(bytes)).toEqual(['! image_rotated_by_exif']);
    expect(messageOf(bytes, 'image_rotated_by_exif')).toMatch(/640 × 400 pixels.*magick in\.\w+ -auto-orient out\.\w+/);
    const refused = inspectImage(bytes, bytes.length, undefined, 'refuse');
    expect(refused).toMatchObject({ ok: false, issues: [{ code: 'image_rotated_by_exif' }] });
  });

  test('EXIF orientation that is a LONG, or behind the pixels of a PNG', () => {
    const tiff = Buffer.from('MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\0\0\x06\0\0\0\0', 'latin1');
    const exif = segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), tiff]));
    expect(codes(jpeg({ ...size, before: [exif] }))).toEqual(['! image_rotated_by_exif']);
    const plain = png(size);
    const turned = Buffer.concat([plain.subarray(0, -12), chunk('eXIf', tiff), plain.subarray(-12)]);
    expect(codes(turned)).toEqual(['! image_rotated_by_exif']);
  });

  test.each<[string, Buffer]>([
    ['upright', jpeg({ ...size, before: [app1(1)] })],
    ['of no meaning', jpeg({ ...size, before: [app1(9)] })],
    ['overruled by an earlier one', jpeg({ ...size, before: [app1(1), app1(6)] })],
    [
      'in XMP alone',
      jpeg({ ...size, before: [segment(0xe1, Buffer.from('http://ns.adobe.com/xap/1.0/\0<a Orientation="6"/>'))] }),
    ],
    ['cut off', jpeg({ ...size, before: [segment(0xe1, Buffer.from('Exif\0\0II*\0\x08\0\0\0\x05'))] })],
  ])('no EXIF orientation that is %s', (_kind, bytes) => {
    expect(codes(bytes)).toEqual([]);
    expect(inspectImage(bytes, bytes.length, undefined, 'refuse').ok).toBe(true);
  });

  test.each<[string, Buffer]>([
    ['a WEBP', webp({ ...size, alpha: true })],
    ['a WEBP with metadata', webp({ ...size, alpha: true, xmp: true })],
    ['a BMP', withAlphaMask(bmp({ ...size, header: 124, bits: 32 }))],
  ])('transparency, which Wan refuses of PNG alone: %s', (_kind, bytes) => {
    expect(codes(bytes)).toEqual(['! image_has_alpha']);
    expect(messageOf(bytes, 'image_has_alpha')).toContain('-background white -alpha remove');
  });

  test('animations', () => {
    expect(codes(webp({ ...size, lossy: true, frames: 3 }))).toEqual(['! image_animated']);
    expect(codes(png({ ...size, before: [animation, frameControl(640, 400)] }))).toEqual(['! image_animated']);
  });

  test.each<[string, Buffer]>([
    ['is cut off', webp({ ...size, lossy: true }).subarray(0, 200)],
    ['is cut off, with a size that fits', riffSized(webp({ ...size, lossy: true }).subarray(0, 200), 192)],
    ['declares no size', riffSized(webp({ ...size, lossy: true }), 0)],
    ['declares too little', riffSized(webp({ ...size, lossy: true }), 30)],
    ['has a chunk that is longer than the file', longChunk(webp({ ...size, lossy: true }))],
  ])('a WEBP that %s', (_kind, bytes) => {
    expect(codes(bytes)).toEqual(['! image_truncated']);
  });

  test.each([
    ['JPEG', jpeg({ ...size, before: [segment(0xe5, Buffer.from([0xff, 0xd9]))] }), 2],
    ['PNG', png(size), 12],
  ])('a %s without its end, which has only the first rows', (_kind, bytes, end) => {
    for (const cut of [end, end + 30]) expect(codes(bytes.subarray(0, -cut))).toEqual(['! image_truncated']);
  });
});

function withAlphaMask(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(0xff000000, 66);
  return bytes;
}

function riffSized(bytes: Buffer, declared: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt32LE(declared, 4);
  return changed;
}

function longChunk(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt32LE(vp8.length + 4000, 16);
  return changed;
}

describe('inspectImage reads', () => {
  test('the size in the first part of a file', () => {
    for (const bytes of [png(size), jpeg(size), bmp(size)]) {
      expect(inspectImage(bytes.subarray(0, 400), bytes.length)).toMatchObject({ ok: true, facts: size });
    }
  });

  test('a file that is too large to be read whole without calling it unreadable', () => {
    const start = jpeg({ ...size, before: Array(2).fill(segment(0xe2, Buffer.alloc(5e4))) }).subarray(0, 65536);
    expect(codes(start, 11 * 1024 * 1024)).toEqual(['image_too_large']);
  });

  test('damaged headers without an exception', () => {
    const random = seededRandom(1);
    for (let round = 0; round < 600; round += 1) {
      const bytes = Buffer.from(imageVariant(random).bytes.subarray(0, 2000));
      for (let change = 0; change < 1 + random() * 8; change += 1) {
        bytes[2 + Math.floor(random() * (bytes.length - 2))] = Math.floor(random() * 256);
      }
      const cut = bytes.subarray(0, Math.ceil(random() * bytes.length));
      expect(inspectImage(cut, random() < 0.5 ? cut.length : bytes.length * 50)).toHaveProperty('ok');
    }
  });

  test.each<[string, Buffer]>([
    ['claims more than the file has', lying()],
    ['is empty, again and again', manyChunks()],
  ])('a PNG with a chunk that %s in no time', (_kind, bytes) => {
    expect(inspectImage(bytes, bytes.length).ok).toBe(true);
  });

  test('10 MB of markers in no time', () => {
    for (const fill of [0xff, 0x00, 0xd8]) {
      const bytes = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 2]), Buffer.alloc(10_000_000, fill)]);
      const started = performance.now();
      expect(codes(bytes)).toEqual(['image_unreadable']);
      expect(performance.now() - started).toBeLessThan(15_000);
    }
  });
});

function lying(): Buffer {
  const bytes = png(size);
  bytes.writeUInt32BE(0xffffffff, 33);
  return bytes;
}

const manyChunks = (): Buffer =>
  Buffer.concat([png(size).subarray(0, 33), ...Array<Buffer>(2000).fill(chunk('teXt', Buffer.alloc(0)))]);
