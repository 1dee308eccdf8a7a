import { crc32, deflateSync } from 'node:zlib';

/** Draws the sample image of the demo: a sun over two ranges of hills, 1280 × 720, as PNG. */
export function sampleImage(width = 1280, height = 720): Buffer {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rows.set(colorAt(x / width, y / height, width / height), y * (1 + width * 3) + 1 + x * 3);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits per channel; red, green and blue, without alpha.
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

type Color = [red: number, green: number, blue: number];

const sky: [Color, Color] = [
  [38, 52, 110],
  [248, 176, 128],
];

/** Returns the color at a point; both coordinates are from 0 to 1. */
function colorAt(x: number, y: number, ratio: number): Color {
  const near = 0.78 + 0.05 * Math.sin(x * 7 + 1) + 0.02 * Math.sin(x * 23);
  if (y > near) return [24, 38, 48];
  const far = 0.64 + 0.06 * Math.sin(x * 4 + 3) + 0.02 * Math.sin(x * 15);
  if (y > far) return [72, 66, 104];
  const fromSun = Math.hypot((x - 0.68) * ratio, y - 0.48);
  if (fromSun < 0.09) return [255, 236, 190];
  const glow = Math.max(0, 1 - (fromSun - 0.09) * 3) ** 2;
  return mix(mix(sky[0], sky[1], Math.min(1, y / 0.7)), [255, 222, 160], glow * 0.7);
}

const mix = (from: Color, to: Color, share: number): Color =>
  from.map((value, channel) => Math.round(value + (to[channel]! - value) * share)) as Color;

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
