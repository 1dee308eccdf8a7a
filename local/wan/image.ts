import { type Checked, invalidMedia } from './errors.ts';
import type { ImageLimits } from './models.ts';

export type ImageFormat = 'jpg' | 'png' | 'bmp' | 'webp';

export interface CheckedImage {
  readonly format: ImageFormat;
  readonly width: number;
  readonly height: number;
}

/** Reference, "Input image": which MIME type a `data:` URL must carry for each format. */
const mimeTypes: Readonly<Record<ImageFormat, string>> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  bmp: 'image/bmp',
  webp: 'image/webp',
};

/**
 * Checks an image by the reference's "Image limits": the format by its bytes, both sides, their ratio, the file's size, no alpha
 * channel in a PNG. Everything else is refused as `InvalidURL` (facts, "Errors").
 *
 * @param declaredType the MIME type of a `data:` URL, which must match the format
 */
export function checkImage(bytes: Uint8Array, limits: ImageLimits, declaredType?: string): Checked<CheckedImage> {
  const { minimumSide, maximumSide, maximumRatio, maximumBytes } = limits;
  if (bytes.length > maximumBytes) return invalidMedia(`the image is larger than ${maximumBytes / 1024 / 1024} MB`);
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = formatOf(file);
  const size = format && sizeOf(file, format);
  if (!format || !size) return invalidMedia('the image is not a JPEG, PNG, BMP or WEBP file');
  const [width, height] = size;
  if (declaredType !== undefined && declaredType.toLowerCase() !== mimeTypes[format]) {
    return invalidMedia(`the data URL declares ${declaredType}, but the image is ${mimeTypes[format]}`);
  }
  if (Math.min(width, height) < minimumSide || Math.max(width, height) > maximumSide) {
    return invalidMedia(
      `the image has ${width}×${height} pixels, width and height must be ${minimumSide} to ${maximumSide}`,
    );
  }
  if (Math.max(width, height) > maximumRatio * Math.min(width, height))
    return invalidMedia(`the image has ${width}×${height} pixels, a ratio above ${maximumRatio}:1`);
  // The color type of the IHDR chunk: 4 is gray with alpha, 6 is RGB with alpha.
  if (format === 'png' && (bytes[25] === 4 || bytes[25] === 6))
    return invalidMedia('the PNG image has an alpha channel');
  return { value: { format, width, height } };
}

function formatOf(file: Buffer): ImageFormat | undefined {
  const start = file.toString('latin1', 0, 12);
  if (start.startsWith('\xff\xd8\xff')) return 'jpg';
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (start.startsWith('BM')) return 'bmp';
  return start.startsWith('RIFF') && start.endsWith('WEBP') ? 'webp' : undefined;
}

/** Width and height by the file's header; undefined when it has none, or one that declares no pixels. */
function sizeOf(file: Buffer, format: ImageFormat): readonly [width: number, height: number] | undefined {
  try {
    const size = readers[format](file);
    return size && Math.min(...size) > 0 ? size : undefined;
  } catch (error) {
    // The header ends before its size.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const readers: Readonly<Record<ImageFormat, (file: Buffer) => readonly [number, number] | undefined>> = {
  jpg: jpegSize,
  png: (file) => [file.readUInt32BE(16), file.readUInt32BE(20)],
  // OS/2's first header has sides of 16 bits; a negative height is that of rows from top to bottom.
  bmp: (file) =>
    file.readUInt32LE(14) === 12
      ? [file.readUInt16LE(18), file.readUInt16LE(20)]
      : [file.readInt32LE(18), Math.abs(file.readInt32LE(22))],
  webp(file) {
    switch (file.toString('latin1', 12, 16)) {
      case 'VP8 ':
        return [file.readUInt16LE(26) & 0x3fff, file.readUInt16LE(28) & 0x3fff];
      case 'VP8L':
        return [(file.readUInt16LE(21) & 0x3fff) + 1, ((file.readUInt32LE(21) >>> 14) & 0x3fff) + 1];
      case 'VP8X':
        return [file.readUIntLE(24, 3) + 1, file.readUIntLE(27, 3) + 1];
      default:
        return undefined;
    }
  },
};

/** The size in the first frame header, found as decoders find it: bytes that begin no marker are skipped. */
function jpegSize(file: Buffer): readonly [number, number] | undefined {
  for (let at = file.indexOf(0xff, 2); at !== -1; at = file.indexOf(0xff, at)) {
    const marker = file.readUInt8(at + 1);
    if (marker === 0xff) at += 1;
    else if (marker <= 1 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else if (marker === 0xda || marker === 0xd9) return undefined;
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return [file.readUInt16BE(at + 7), file.readUInt16BE(at + 5)];
    } else at += 2 + Math.max(2, file.readUInt16BE(at + 2));
  }
  return undefined;
}

/** Whether an image ends before its data does, so that no decoder shows all of it. */
export function isCutOff(file: Buffer): boolean {
  switch (formatOf(file)) {
    case 'jpg':
      return !file.includes('\xff\xd9', 0, 'latin1');
    case 'png':
      return !file.includes('IEND', 0, 'latin1');
    case 'webp':
      return file.length < 20 + file.readUInt32LE(16);
    default:
      return false;
  }
}
