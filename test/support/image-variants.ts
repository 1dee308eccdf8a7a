import { crc32, deflateSync } from 'node:zlib';

/** An image that decoders show whole, in a form that few files have. */
export interface ImageVariant {
  readonly name: string;
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
  /** EXIF orientation. @default 1 */
  readonly orientation?: number;
}

type Size = { readonly width: number; readonly height: number };
type Random = () => number;

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
const chance = (random: Random, share: number): boolean => random() < share;

/** A TIFF structure whose first directory has an orientation between other tags. */
export function exif(orientation: number, { littleEndian = true, filler = 0 } = {}): Buffer {
  const entries = [
    [0x010f, 2, 4, 0x41424300],
    [0x0112, 3, 1, orientation],
    [0x0128, 3, 1, 2],
  ] as const;
  const tiff = Buffer.alloc(8 + filler + 2 + entries.length * 12 + 4);
  const write = (value: number, at: number, bytes: 2 | 4) =>
    littleEndian ? tiff.writeUIntLE(value, at, bytes) : tiff.writeUIntBE(value, at, bytes);
  tiff.write(littleEndian ? 'II' : 'MM', 0, 'latin1');
  write(42, 2, 2);
  write(8 + filler, 4, 4);
  write(entries.length, 8 + filler, 2);
  for (const [index, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + filler + index * 12;
    write(tag, at, 2);
    write(type, at + 2, 2);
    write(count, at + 4, 4);
    write(value, at + 8, type === 3 ? 2 : 4);
  }
  return tiff;
}

export interface JpegOptions extends Size {
  components?: 1 | 3 | 4;
  /** SOF2 instead of SOF0. */
  progressive?: boolean;
  /** MCUs between restart markers. */
  restartInterval?: number;
  /** 2 halves the chroma of a color JPEG. */
  sampling?: 1 | 2;
  /** Segments (or any bytes) between SOI and the tables. */
  before?: readonly Buffer[];
  /** Bytes between the last table and the frame header. */
  beforeFrame?: Buffer;
  /** Bytes after EOI. */
  after?: Buffer;
  /** Bits per sample, as the frame header declares them. */
  precision?: number;
}

/** A segment of a JPEG: marker, length, content. */
export const segment = (marker: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0xff, marker]), u16(content.length + 2), content]);
export const app1 = (orientation: number, options?: Parameters<typeof exif>[1]): Buffer =>
  segment(0xe1, Buffer.concat([latin1('Exif\0\0'), exif(orientation, options)]));

/** A gray JPEG that any decoder shows: each block is two bits, "no difference" and "end of block". */
export function jpeg(options: JpegOptions): Buffer {
  const { width, height, components = 3, progressive = false, restartInterval = 0, sampling = 1 } = options;
  const { before = [], beforeFrame = Buffer.alloc(0), after = Buffer.alloc(0), precision = 8 } = options;
  const factor = components === 3 ? sampling : 1;
  const ids = Array.from({ length: components }, (_, index) => index + 1);
  const quantization = segment(0xdb, Buffer.concat([Buffer.from([0]), Buffer.alloc(64, 8)]));
  const frame = segment(
    progressive ? 0xc2 : 0xc0,
    Buffer.from([
      ...[precision, ...u16(height), ...u16(width), components],
      ...ids.flatMap((id) => [id, id === 1 ? factor * 17 : 17, 0]),
    ]),
  );
  // One code of one bit in each table, for the symbol 0.
  const oneCode = [1, ...new Array<number>(15).fill(0), 0];
  const huffman = segment(0xc4, Buffer.from([0x00, ...oneCode, 0x10, ...oneCode]));
  const units = Math.ceil(width / (8 * factor)) * Math.ceil(height / (8 * factor));
  const blocksPerUnit = factor * factor + components - 1;
  const scanHeader = segment(
    0xda,
    Buffer.from([components, ...ids.flatMap((id) => [id, 0]), 0, progressive ? 0 : 63, 0]),
  );
  // A progressive scan of the DC coefficients alone has one bit for each block.
  const bitsPerUnit = blocksPerUnit * (progressive ? 1 : 2);
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    ...before,
    quantization,
    ...(restartInterval ? [segment(0xdd, u16(restartInterval))] : []),
    huffman,
    beforeFrame,
    frame,
    scanHeader,
    entropy(units, bitsPerUnit, restartInterval),
    Buffer.from([0xff, 0xd9]),
    after,
  ]);
}

/** Zero bits, each interval filled up with ones to whole bytes and followed by its restart marker. */
function entropy(units: number, bitsPerUnit: number, restartInterval: number): Buffer {
  const interval = restartInterval || units;
  const parts: Buffer[] = [];
  for (let unit = 0, marker = 0; unit < units; unit += interval, marker = (marker + 1) % 8) {
    const bits = Math.min(interval, units - unit) * bitsPerUnit;
    const part = Buffer.alloc(Math.ceil(bits / 8));
    if (bits % 8) part[part.length - 1] = (1 << (8 - (bits % 8))) - 1;
    parts.push(part, Buffer.from([0xff, 0xd0 + marker]));
  }
  return Buffer.concat(parts.slice(0, -1));
}

export interface PngOptions extends Size {
  /** 0 gray, 2 RGB, 3 palette, 4 gray with alpha, 6 RGBA. */
  colorType?: 0 | 2 | 3 | 4 | 6;
  bitDepth?: 1 | 2 | 4 | 8 | 16;
  interlaced?: boolean;
  /** Chunks between IHDR and the pixels. */
  before?: readonly Buffer[];
  /** Chunks between the pixels and IEND. */
  behind?: readonly Buffer[];
  after?: Buffer;
  /** Into this many IDAT chunks, the first one empty. */
  idats?: number;
}

export function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([latin1(type), content]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(content.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** A black PNG. */
export function png(options: PngOptions): Buffer {
  const { width, height, colorType = 2, bitDepth = 8, interlaced = false } = options;
  const { before = [], behind = [], after = Buffer.alloc(0), idats = 1 } = options;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bitDepth, colorType, 0, 0, interlaced ? 1 : 0], 8);
  const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colorType];
  const rowBytes = (pixels: number) => (pixels ? 1 + Math.ceil((pixels * channels * bitDepth) / 8) : 0);
  // Adam7: column, row, and the distances between them, pass by pass.
  const passes = interlaced
    ? ([
        [0, 0, 8, 8],
        [4, 0, 8, 8],
        [0, 4, 4, 8],
        [2, 0, 4, 4],
        [0, 2, 2, 4],
        [1, 0, 2, 2],
        [0, 1, 1, 2],
      ] as const)
    : ([[0, 0, 1, 1]] as const);
  const bytes = passes.reduce(
    (sum, [x, y, dx, dy]) => sum + rowBytes(Math.ceil((width - x) / dx)) * Math.ceil((height - y) / dy),
    0,
  );
  const pixels = deflateSync(Buffer.alloc(bytes), { level: 1 });
  const piece = Math.ceil(pixels.length / idats);
  const pieces = Array.from({ length: idats }, (_, index) => pixels.subarray(index * piece, (index + 1) * piece));
  return Buffer.concat([
    latin1('\x89PNG\r\n\x1a\n'),
    chunk('IHDR', header),
    ...(colorType === 3 ? [chunk('PLTE', Buffer.alloc(6, 0x40))] : []),
    ...before,
    ...(idats > 1 ? [chunk('IDAT', Buffer.alloc(0))] : []),
    ...pieces.map((content) => chunk('IDAT', content)),
    ...behind,
    chunk('IEND', Buffer.alloc(0)),
    after,
  ]);
}

export interface BmpOptions extends Size {
  /** Bytes of the second header: 12 is OS/2 1, 16 and 64 OS/2 2, 40 Windows 3, 52 to 124 its successors. */
  header?: 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124;
  bits?: 1 | 4 | 8 | 16 | 24 | 32;
  topDown?: boolean;
  /** RLE8, of one run for each row. */
  rle?: boolean;
  /** Bytes left out at the end, such as the last row's padding. */
  cut?: number;
  /** What the file header declares as the file's size. @default the truth */
  declaredSize?: number;
  /** What the second header declares as the pixels' size. @default 0 */
  imageSize?: number;
  after?: Buffer;
  /** Bytes between the headers and the pixels. */
  gap?: number;
}

/** A gray BMP. */
export function bmp(options: BmpOptions): Buffer {
  const { width, height, header = 40, topDown = false, rle = false, cut = 0, gap = 0 } = options;
  const { bits = 24, imageSize = 0, after = Buffer.alloc(0) } = options;
  const depth = rle ? 8 : bits;
  const colors = depth <= 8 ? 1 << depth : 0;
  const palette = Buffer.alloc(colors * (header === 12 ? 3 : 4), 0x60);
  const pixels = rle ? runs(width, height) : Buffer.alloc(Math.ceil((width * depth) / 32) * 4 * height, 0);
  const second = Buffer.alloc(header);
  second.writeUInt32LE(header, 0);
  if (header === 12) {
    second.writeUInt16LE(width, 4);
    second.writeUInt16LE(height, 6);
    second.writeUInt16LE(1, 8);
    second.writeUInt16LE(depth, 10);
  } else {
    second.writeInt32LE(width, 4);
    second.writeInt32LE(topDown ? -height : height, 8);
    second.writeUInt16LE(1, 12);
    second.writeUInt16LE(depth, 14);
    if (header > 16) {
      second.writeUInt32LE(rle ? 1 : 0, 16);
      second.writeUInt32LE(imageSize, 20);
    }
  }
  const first = Buffer.alloc(14);
  const offset = 14 + header + palette.length + gap;
  first.write('BM', 0, 'latin1');
  first.writeUInt32LE(options.declaredSize ?? offset + pixels.length + after.length, 2);
  first.writeUInt32LE(offset, 10);
  const file = Buffer.concat([first, second, palette, Buffer.alloc(gap), pixels]);
  return Buffer.concat([file.subarray(0, file.length - cut), after]);
}

function runs(width: number, height: number): Buffer {
  const row: number[] = [];
  for (let left = width; left > 0; left -= 255) row.push(Math.min(left, 255), 7);
  return Buffer.from([...Array.from({ length: height }, () => [...row, 0, 0]).flat(), 0, 1]);
}

/** A chunk of a RIFF file, padded to an even length. */
export function riffChunk(type: string, content: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(content.length, 0);
  return Buffer.concat([latin1(type), size, content, Buffer.alloc(content.length % 2)]);
}

const riff = (form: string, chunks: readonly Buffer[]): Buffer =>
  riffChunk('RIFF', Buffer.concat([latin1(form), ...chunks]));

/** The content of a VP8L chunk: one color, so that no pixel takes a bit. */
export function vp8l({ width, height }: Size, { alpha = false } = {}): Buffer {
  let [bits, count] = [0n, 0n];
  const put = (value: number, length: number) => {
    bits |= BigInt(value) << count;
    count += BigInt(length);
  };
  put(0x2f, 8);
  put(width - 1, 14);
  put(height - 1, 14);
  put(alpha ? 1 : 0, 1);
  // Version, then neither transforms nor a color cache nor meta codes.
  put(0, 3);
  put(0, 3);
  // Codes of one symbol for green, red, blue, alpha and distance.
  for (const symbol of [90, 60, 120, alpha ? 128 : 255]) {
    put(0b101, 3);
    put(symbol, 8);
  }
  put(0b001, 3);
  put(0, 1);
  const content = Buffer.alloc(Number((count + 7n) / 8n));
  for (const index of content.keys()) content[index] = Number((bits >> BigInt(index * 8)) & 255n);
  return content;
}

/** The content of a VP8 chunk of 400 × 400 gray pixels, as libwebp encodes it. */
export const vp8 = Buffer.from(
  '0CQAnQEqkAGQAT7RaLJTKCYkoqAIAQAaCWlu4XdhG0AJ7APfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ycKAAP7+eIAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'base64',
);

export interface WebpOptions extends Size {
  /** Lossy; always 400 × 400 pixels. */
  lossy?: boolean;
  alpha?: boolean;
  /** VP8X, which the others need. */
  extended?: boolean;
  orientation?: number;
  /** Other chunks, before the pixels and after them. */
  icc?: boolean;
  xmp?: boolean;
  /** Frames of an animation. */
  frames?: number;
  after?: Buffer;
}

export function webp(options: WebpOptions): Buffer {
  const { lossy = false, alpha = false, orientation, icc = false, xmp = false, frames = 0 } = options;
  const { width, height } = lossy ? { width: 400, height: 400 } : options;
  const after = options.after ?? Buffer.alloc(0);
  const pixels = lossy ? riffChunk('VP8 ', vp8) : riffChunk('VP8L', vp8l({ width, height }, { alpha }));
  const extended = options.extended || orientation !== undefined || icc || xmp || frames > 0;
  if (!extended) return Buffer.concat([riff('WEBP', [pixels]), after]);
  const header = Buffer.alloc(10);
  header[0] =
    (icc ? 0x20 : 0) | (alpha ? 0x10 : 0) | (orientation === undefined ? 0 : 8) | (xmp ? 4 : 0) | (frames ? 2 : 0);
  header.writeUIntLE(width - 1, 4, 3);
  header.writeUIntLE(height - 1, 7, 3);
  const frame = Buffer.alloc(16);
  frame.writeUIntLE(width - 1, 6, 3);
  frame.writeUIntLE(height - 1, 9, 3);
  frame.writeUIntLE(100, 12, 3);
  const animation = [
    riffChunk('ANIM', Buffer.alloc(6)),
    ...Array.from({ length: frames }, () => riffChunk('ANMF', Buffer.concat([frame, pixels]))),
  ];
  const chunks = [
    riffChunk('VP8X', header),
    ...(icc ? [riffChunk('ICCP', Buffer.alloc(129))] : []),
    ...(frames ? animation : [pixels]),
    ...(orientation === undefined ? [] : [riffChunk('EXIF', exif(orientation))]),
    ...(xmp ? [riffChunk('XMP ', latin1('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'))] : []),
  ];
  return Buffer.concat([riff('WEBP', chunks), after]);
}

const sides = [360, 361, 400, 401, 403, 407, 640, 641, 750, 1000, 1999, 2000] as const;
const trailers = [Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(700, 0x20), latin1('\r\n')];

/**
 * An image in one of the many forms that programs write and that Pillow, ffmpeg and Chromium show, by chance: the same for the
 * same numbers.
 */
export function imageVariant(random: Random): ImageVariant {
  return pick(random, [jpegVariant, jpegVariant, pngVariant, bmpVariant, webpVariant])(random);
}

function jpegVariant(random: Random): ImageVariant {
  const [width, height] = [pick(random, sides), pick(random, sides)];
  const orientation = chance(random, 0.3) ? 1 + Math.floor(random() * 8) : undefined;
  const spoiled = segment(0xe2, latin1('a segment that is longer than it declares'));
  spoiled.writeUInt16BE(spoiled.length - 2 - Math.floor(random() * 9), 2);
  const pieces: (readonly [string, Buffer])[] = [
    ['JFIF', segment(0xe0, Buffer.from('4a46494600010100000100010000', 'hex'))],
    ['Adobe', segment(0xee, Buffer.from('41646f626500640000000001', 'hex'))],
    ['comment', segment(0xfe, latin1('made by hand'))],
    ['empty APP13', segment(0xed, Buffer.alloc(0))],
    ['64 KB of ICC', segment(0xe2, Buffer.concat([latin1('ICC_PROFILE\0\x01\x02'), Buffer.alloc(65_000)]))],
    ['stray bytes', Buffer.alloc(1 + Math.floor(random() * 9), pick(random, [0x00, 0x20, 0x41]))],
    ['fill bytes', Buffer.alloc(1 + Math.floor(random() * 5), 0xff)],
    ['a length that is too short', spoiled],
    ['XMP', segment(0xe1, latin1('http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>'))],
  ];
  const chosen = pieces.filter(() => chance(random, 0.25));
  const options = {
    width,
    height,
    components: pick(random, [1, 3, 3] as const),
    sampling: pick(random, [1, 2] as const),
    progressive: chance(random, 0.3),
    restartInterval: chance(random, 0.3) ? pick(random, [1, 7, 50]) : 0,
  };
  const before = chosen.map(([, bytes]) => bytes);
  if (orientation !== undefined) {
    before.splice(Math.floor(random() * 2), 0, app1(orientation, { littleEndian: chance(random, 0.5) }));
  }
  const bytes = jpeg({
    ...options,
    before: [segment(0xe0, Buffer.from('4a46494600010100000100010000', 'hex')), ...before],
    beforeFrame: chance(random, 0.2) ? Buffer.from([0xff, 0xff]) : Buffer.alloc(0),
    after: pick(random, trailers),
  });
  const name = `JPEG ${JSON.stringify(options)} ${chosen.map(([what]) => what).join(', ')}`;
  return { name, bytes, width, height, ...(orientation === undefined ? {} : { orientation }) };
}

function pngVariant(random: Random): ImageVariant {
  const [width, height] = [pick(random, sides), pick(random, sides)];
  const orientation = chance(random, 0.2) ? 1 + Math.floor(random() * 8) : undefined;
  const [colorType, bitDepth] = pick(random, [
    [0, 1],
    [0, 2],
    [0, 8],
    [0, 16],
    [2, 8],
    [2, 16],
    [3, 1],
    [3, 8],
  ] as const);
  const chunks: (readonly [string, Buffer])[] = [
    ['gAMA', chunk('gAMA', Buffer.from([0, 0, 0xb1, 0x8f]))],
    ['pHYs', chunk('pHYs', Buffer.from([0, 0, 11, 19, 0, 0, 11, 19, 1]))],
    ['unknown chunk', chunk('prVt', Buffer.alloc(70_000, 7))],
    ['time', chunk('tIME', Buffer.from([7, 234, 1, 1, 0, 0, 0]))],
    ['text', chunk('tEXt', latin1('Comment\0tRNS'))],
    ['animation', Buffer.concat([chunk('acTL', Buffer.from([0, 0, 0, 1, 0, 0, 0, 0])), frameControl(width, height)])],
  ];
  const chosen = chunks.filter(() => chance(random, 0.2));
  const before = chosen.map(([, bytes]) => bytes);
  if (orientation !== undefined)
    before.unshift(chunk('eXIf', exif(orientation, { littleEndian: chance(random, 0.5) })));
  const options = { width, height, colorType, bitDepth, interlaced: chance(random, 0.2), idats: pick(random, [1, 3]) };
  const bytes = png({ ...options, before, after: pick(random, trailers) });
  const name = `PNG ${JSON.stringify(options)} ${chosen.map(([what]) => what).join(', ')}`;
  return { name, bytes, width, height, ...(orientation === undefined ? {} : { orientation }) };
}

/** `fcTL` of an animation's only frame, which is the image itself. */
export function frameControl(width: number, height: number): Buffer {
  const content = Buffer.alloc(26);
  content.writeUInt32BE(width, 4);
  content.writeUInt32BE(height, 8);
  content.set([0, 1, 0, 10], 20);
  return chunk('fcTL', content);
}

function bmpVariant(random: Random): ImageVariant {
  // Larger ones have more than 10 MB.
  const [width, height] = [pick(random, sides.slice(0, -2)), pick(random, sides)];
  const kind = pick(random, [
    { header: 12, bits: 24 },
    { header: 12, bits: 8 },
    { header: 12, bits: 1 },
    { header: 40, bits: 1 },
    { header: 40, bits: 4 },
    { header: 40, bits: 8 },
    { header: 40, bits: 16 },
    { header: 40, bits: 24 },
    { header: 40, rle: true },
    { header: 64, bits: 24 },
    { header: 108, bits: 24 },
    { header: 124, bits: 24 },
  ] as const);
  const padding = (4 - ((width * 3) % 4)) % 4;
  const options: BmpOptions = {
    width,
    height,
    ...kind,
    topDown: kind.header >= 40 && !('rle' in kind) && chance(random, 0.2),
    imageSize: pick(random, [0, 0, 54, 1000]),
    ...(chance(random, 0.3) ? { declaredSize: pick(random, [0, 54, 0x7fffffff]) } : {}),
    cut: 'bits' in kind && kind.bits === 24 && chance(random, 0.3) ? padding : 0,
  };
  const bytes = bmp({ ...options, after: options.cut ? Buffer.alloc(0) : pick(random, trailers) });
  return { name: `BMP ${JSON.stringify(options)}`, bytes, width, height };
}

function webpVariant(random: Random): ImageVariant {
  const lossy = chance(random, 0.3);
  const [width, height] = lossy ? [400, 400] : [pick(random, sides), pick(random, sides)];
  const orientation = chance(random, 0.2) ? 1 + Math.floor(random() * 8) : undefined;
  const options = {
    width,
    height,
    lossy,
    extended: chance(random, 0.3),
    alpha: !lossy && chance(random, 0.3),
    xmp: chance(random, 0.2),
    ...(orientation === undefined ? {} : { orientation }),
  };
  return {
    name: `WEBP ${JSON.stringify(options)}`,
    bytes: webp({ ...options, after: pick(random, trailers) }),
    ...options,
  };
}
