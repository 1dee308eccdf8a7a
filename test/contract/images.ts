import { png, webp as webpHeader } from '../functions/media/support.ts';
import { bmp } from '../support/image-variants.ts';

/** Returns a JPEG with headers only, which is all that client and emulator read: a frame of this size and an empty scan. */
export function jpeg(width: number, height: number): Buffer {
  const frame = Buffer.from('ffc00011080000000003012200021101031101', 'hex');
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  return Buffer.concat([
    Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'),
    frame,
    Buffer.from('ffda000c03010002110311003f00ffd9', 'hex'),
  ]);
}

/** The smallest BMP of its size that every model accepts. */
const monochromeBmp = bmp({ width: 360, height: 360, bits: 1 });

/** Returns a WEBP that is longer than its header, as every real image. */
const webp: typeof webpHeader = (...size) => Buffer.concat([webpHeader(...size), Buffer.alloc(60)]);

/** Returns a PNG of exactly this size, padded with zeros after its end, as some programs do. */
function padded(bytes: number): Buffer {
  return Buffer.concat([png(400, 400), Buffer.alloc(bytes)], bytes);
}

const MiB = 1024 * 1024;

/** Images that every model accepts, with their MIME types. */
export const validImages: readonly (readonly [type: string, bytes: Buffer])[] = [
  ['image/png', png(400, 400)],
  ['image/png', png(360, 2000)],
  ['image/png', png(400, 400, { colorType: 3 })],
  ['image/jpeg', jpeg(750, 1000)],
  ['image/bmp', monochromeBmp],
  ['image/webp', webp(2000, 360)],
  ['image/webp', webp(400, 400, { alpha: true })],
];

/** Images at and over every limit, with wrong types, damaged, and files that are not images. */
export const edgeCaseImages: readonly (readonly [type: string, bytes: Buffer])[] = [
  ['image/png', png(359, 400)],
  ['image/png', png(400, 239)],
  ['image/jpeg', jpeg(240, 8000)],
  ['image/jpeg', jpeg(2001, 400)],
  ['image/jpeg', jpeg(8001, 400)],
  ['image/webp', webp(100, 100)],
  ['image/png', png(400, 400, { colorType: 6 })],
  ['image/png', png(400, 400, { transparent: true })],
  ['image/png', png(400, 400).subarray(0, 60)],
  ['image/jpeg', jpeg(400, 400).subarray(0, -2)],
  ['image/jpeg', png(400, 400)],
  ['image/png', jpeg(400, 400)],
  ['image/jpg', jpeg(400, 400)],
  ['image/x-ms-bmp', monochromeBmp],
  ['image/gif', Buffer.from('R0lGODlhkAGQAYAAAAAAAP///yH5BAEAAAAALAAAAACQAZABAAIBRAA7', 'base64')],
  ['image/png', Buffer.from('GIF89a and then something else')],
  ['image/png', Buffer.alloc(0)],
  ['text/plain', Buffer.from('not an image, but long enough to be one')],
];

/** Files at and over the size limit: megabytes of base64 each. */
export const largeImages: readonly (readonly [type: string, bytes: Buffer])[] = [
  ['image/png', padded(10 * MiB)],
  ['image/png', padded(10 * MiB + 1)],
];
