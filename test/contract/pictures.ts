import { png, webp as webpHeader } from '../functions/media/support.ts';

/** A JPEG of headers alone, which is all that checks of either side read: a frame of this size, and the end of an empty scan. */
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

/** A BMP of black and white, the smallest there is of these sides. */
function bmp(width: number, height: number): Buffer {
  const pixels = Math.ceil(width / 32) * 4 * height;
  const file = Buffer.alloc(62 + pixels, 0);
  file.write('BM', 0, 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(62, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(1, 28);
  file.writeUInt32LE(0xffffff, 58);
  return file;
}

/** A WEBP that is longer than its header: no picture is as short as that. */
const webp: typeof webpHeader = (...size) => Buffer.concat([webpHeader(...size), Buffer.alloc(60)]);

/** A whole PNG of exactly so many bytes: zeros after its end fill it up, as some programs leave them. */
function filled(bytes: number): Buffer {
  return Buffer.concat([png(400, 400), Buffer.alloc(bytes)], bytes);
}

const MiB = 1024 * 1024;

/** Pictures that every model takes, with their MIME types. */
export const goodPictures: readonly (readonly [type: string, bytes: Buffer])[] = [
  ['image/png', png(400, 400)],
  ['image/png', png(360, 2000)],
  ['image/png', png(400, 400, { colorType: 3 })],
  ['image/jpeg', jpeg(750, 1000)],
  ['image/bmp', bmp(360, 360)],
  ['image/webp', webp(2000, 360)],
  ['image/webp', webp(400, 400, { alpha: true })],
];

/** Pictures at and over every limit, of other types, damaged, and no pictures. */
export const doubtfulPictures: readonly (readonly [type: string, bytes: Buffer])[] = [
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
  ['image/x-ms-bmp', bmp(360, 360)],
  ['image/gif', Buffer.from('R0lGODlhkAGQAYAAAAAAAP///yH5BAEAAAAALAAAAACQAZABAAIBRAA7', 'base64')],
  ['image/png', Buffer.from('GIF89a and then nothing of the kind')],
  ['image/png', Buffer.alloc(0)],
  ['text/plain', Buffer.from('not a picture, but long enough to be one')],
];

/** The sizes at the limit; each is megabytes of base64. */
export const heavyPictures: readonly (readonly [type: string, bytes: Buffer])[] = [
  ['image/png', filled(10 * MiB)],
  ['image/png', filled(10 * MiB + 1)],
];
