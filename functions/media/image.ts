import { crc32 } from 'node:zlib';
import { imageSize } from 'image-size';
import { type ImageType, maxImageBytes, type Problem } from './data-url.ts';

type InspectedImage =
  | { ok: true; format: ImageFormat; content_type: ImageType; width: number; height: number; has_alpha: boolean }
  | { ok: false; violations: Problem[] };

/** Pixels of each side and bytes of the file; a model's row in the catalogue has them as `image`. */
export type ImageLimits = { readonly min_side: number; readonly max_side: number; readonly max_bytes: number };

/** The limits of the reference ("img_url"). */
const referenceImageLimits: ImageLimits = { min_side: 360, max_side: 2000, max_bytes: maxImageBytes };

/**
 * Looks at a picture as Wan will: what it is by its bytes (never by its name),
 * its size, and whether all of it is there. Names every violation; never throws.
 *
 * @param bytes - the whole file or its first part (64 KiB hold the header of nearly all pictures); only
 *   with the whole file is a JPEG that was cut off noticed
 * @param size - the file's length in bytes
 */
export function inspectImage(
  bytes: Uint8Array,
  size: number,
  limits: ImageLimits = referenceImageLimits,
): InspectedImage {
  const violations: Problem[] = [];
  const refuse = (code: string, message: string) => violations.push({ code, message });
  if (bytes.byteLength === 0 || size === 0) {
    refuse('image_empty', 'The picture is an empty file. Upload it again.');
    return { ok: false, violations };
  }
  const format = imageFormatOf(bytes);
  if (size > limits.max_bytes) {
    refuse('image_too_large', `The picture has ${size} bytes; at most ${limits.max_bytes} are taken. Make it smaller.`);
  }
  if (!format) {
    refuse('unsupported_image_type', 'The file is no JPEG, PNG, BMP or WEBP picture. Convert it to one of these.');
    return { ok: false, violations };
  }
  const structure = readStructure(format, bytes, size);
  const dimensions = dimensionsOf(bytes);
  if (structure.truncated) refuse('image_truncated', 'The picture is damaged or cut off. Save or upload it again.');
  else if (!dimensions)
    refuse('image_unreadable', "The picture's size can't be read. Save it again with another program.");
  if (dimensions && !isWithin(dimensions, limits)) {
    refuse(
      'image_dimensions',
      `The picture has ${dimensions.width} × ${dimensions.height} pixels; each side must have ${limits.min_side} to ${limits.max_side}. Resize it.`,
    );
  }
  if (format === 'png' && structure.has_alpha) {
    refuse(
      'image_has_alpha',
      'The PNG has an alpha channel, which Wan does not take. Save it without transparency, or as JPEG.',
    );
  }
  if (violations.length > 0 || !dimensions) return { ok: false, violations };
  return { ok: true, format, content_type: contentTypeOf(format), ...dimensions, has_alpha: structure.has_alpha };
}

function dimensionsOf(bytes: Uint8Array): { width: number; height: number } | undefined {
  try {
    const { width, height } = imageSize(bytes);
    return width > 0 && height > 0 ? { width, height } : undefined;
  } catch {
    return undefined;
  }
}

function isWithin({ width, height }: { width: number; height: number }, { min_side, max_side }: ImageLimits): boolean {
  return Math.min(width, height) >= min_side && Math.max(width, height) <= max_side;
}

/** What a file's structure shows beyond its header. */
export type ImageStructure = { truncated: boolean; has_alpha: boolean };

/**
 * Reads a picture's structure: whether all of it is there, and whether it has
 * an alpha channel. No pixel is decoded.
 *
 * @param bytes - the file, or its first part
 * @param size - the file's length; with a first part only, what lies beyond is taken to be good
 */
export function readStructure(format: ImageFormat, bytes: Uint8Array, size: number): ImageStructure {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (format) {
    case 'png':
      return pngStructure(file, size);
    case 'jpeg':
      return { truncated: file.length >= size && !hasEndOfJpeg(file), has_alpha: false };
    case 'bmp':
      return { truncated: isBmpTruncated(file, size), has_alpha: false };
    case 'webp':
      return { truncated: file.length < 30 || file.readUInt32LE(4) + 8 > size, has_alpha: hasWebpAlpha(file) };
  }
}

/** PNG: colour types 4 and 6 have alpha, a tRNS chunk gives it to the others; IEND ends the file. */
function pngStructure(file: Buffer, size: number): ImageStructure {
  const truncated = { truncated: true, has_alpha: false };
  if (file.length < 33 || file.toString('latin1', 12, 16) !== 'IHDR') return truncated;
  let alpha = (file.readUInt8(25) & 4) !== 0;
  let offset = 8;
  while (offset + 8 <= file.length) {
    const end = offset + 12 + file.readUInt32BE(offset);
    if (end > size) return truncated;
    const type = file.toString('latin1', offset + 4, offset + 8);
    if (end <= file.length && crc32(file.subarray(offset + 4, end - 4)) !== file.readUInt32BE(end - 4))
      return truncated;
    if (type === 'tRNS') alpha = true;
    if (type === 'IEND') return { truncated: false, has_alpha: alpha };
    offset = end;
  }
  return { truncated: file.length >= size, has_alpha: alpha };
}

/** JPEG: an end marker after the start of the scan; a thumbnail's, within the metadata, comes before it. */
function hasEndOfJpeg(file: Buffer): boolean {
  let offset = 2;
  while (offset + 4 <= file.length) {
    if (file[offset] !== 0xff) return false;
    const marker = file.readUInt8(offset + 1);
    if (marker === 0xff) {
      offset += 1;
      continue;
    }
    if (marker === 0xda) return file.lastIndexOf(Buffer.from([0xff, 0xd9])) > offset;
    offset += 2 + file.readUInt16BE(offset + 2);
  }
  return false;
}

/** BMP: the rows of an uncompressed picture follow from its header; a compressed one says its own length. */
function isBmpTruncated(file: Buffer, size: number): boolean {
  if (file.length < 54) return true;
  const [pixels, width, height] = [file.readUInt32LE(10), file.readInt32LE(18), Math.abs(file.readInt32LE(22))];
  const [bitsPerPixel, compression] = [file.readUInt16LE(28), file.readUInt32LE(30)];
  if (compression !== 0 && compression !== 3) return file.readUInt32LE(2) > size;
  return pixels + Math.ceil((width * bitsPerPixel) / 32) * 4 * height > size;
}

function hasWebpAlpha(file: Buffer): boolean {
  const kind = file.toString('latin1', 12, 16);
  if (kind === 'VP8X') return file.length > 20 && (file.readUInt8(20) & 0x10) !== 0;
  return kind === 'VP8L' && file.length > 24 && (file.readUInt8(24) & 0x10) !== 0;
}

export type ImageFormat = 'jpeg' | 'png' | 'bmp' | 'webp';

/** What a file is, by its first 16 bytes; undefined for anything that isn't one of Wan's formats. */
export function imageFormatOf(bytes: Uint8Array): ImageFormat | undefined {
  const start = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  if (start.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (start.startsWith('BM')) return 'bmp';
  if (start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP') return 'webp';
  return undefined;
}

/** The MIME type of a format. */
export function contentTypeOf(format: ImageFormat): ImageType {
  return `image/${format}`;
}
