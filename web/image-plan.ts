import type { OfferedModel } from '../functions/api/videos/models.ts';
import { formatBytes } from './formatting.ts';

/** Limits of the API: pixels per side, bytes per file. */
export interface ImageLimits {
  min_side: number;
  max_side: number;
  max_bytes: number;
}

/** The limits that every model accepts, so that an image stays valid when another model is chosen. */
export function commonLimits(models: readonly OfferedModel[]): ImageLimits {
  const limits = models.map(({ image }) => image);
  return {
    min_side: Math.max(...limits.map(({ min_side }) => min_side)),
    max_side: Math.min(...limits.map(({ max_side }) => max_side)),
    max_bytes: Math.min(...limits.map(({ max_bytes }) => max_bytes)),
  };
}

export interface ImageFacts {
  /** MIME type by content; undefined for a type that Wan does not read. */
  type: string | undefined;
  /** Pixels as displayed, with the EXIF orientation applied. */
  width: number;
  height: number;
  bytes: number;
  alpha: boolean;
  /** Whether the EXIF orientation is any but 1: Wan's handling of it is not documented. */
  rotated: boolean;
}

/** Send the file unchanged, draw it again in an accepted size, or reject it. */
export type ImagePlan =
  | { kind: 'keep' }
  | { kind: 'redraw'; width: number; height: number; note: string }
  | { kind: 'reject'; message: string };

export function planImage(facts: ImageFacts, { min_side, max_side, max_bytes }: ImageLimits): ImagePlan {
  const { type, width, height, bytes, alpha, rotated } = facts;
  const scale = Math.min(1, max_side / Math.max(width, height));
  const scaled = { width: Math.round(width * scale), height: Math.round(height * scale) };
  if (Math.min(width, height) < min_side) {
    const message = `This image has ${width} × ${height} pixels, and each side needs at least ${min_side}. Choose a larger one.`;
    return { kind: 'reject', message };
  }
  if (Math.min(scaled.width, scaled.height) < min_side) {
    const message = `This image is too narrow: ${width} × ${height} pixels. The long side may be at most ${Math.floor((10 * max_side) / min_side) / 10} times the short one. Crop it.`;
    return { kind: 'reject', message };
  }
  const changes = [
    ...(rotated ? ['rotated upright'] : []),
    ...(scale < 1 ? [`scaled down from ${width} × ${height}`] : []),
    ...(alpha ? ['transparent parts filled with white'] : []),
    ...(bytes > max_bytes && scale === 1 ? [`compressed from ${formatBytes(bytes)}`] : []),
    ...(type === undefined ? ['converted to JPEG'] : []),
  ];
  if (changes.length === 0) return { kind: 'keep' };
  return { kind: 'redraw', ...scaled, note: `Adjusted: ${changes.join(', ')}.` };
}

/** The type by the first bytes, not by the file's name; undefined for a type that Wan does not read. */
export function imageType(bytes: Uint8Array): string | undefined {
  const start = ascii(bytes, 0, 12);
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (start.startsWith('BM')) return 'image/bmp';
  if (start.startsWith('RIFF') && start.endsWith('WEBP')) return 'image/webp';
  return undefined;
}

/** Whether a PNG may be transparent, which Wan rejects: by its color type, or by a tRNS chunk before the pixels. */
export function pngHasAlpha(bytes: Uint8Array): boolean {
  const view = viewOf(bytes);
  if (bytes.length < 33) return false;
  if ((view.getUint8(25) & 4) !== 0) return true;
  for (let offset = 8; offset + 8 <= bytes.length; offset += 12 + view.getUint32(offset)) {
    const type = ascii(bytes, offset + 4, 4);
    if (type === 'tRNS') return true;
    if (type === 'IDAT') return false;
  }
  return false;
}

/** The EXIF orientation of a JPEG, 1 to 8 (TIFF 6.0, tag 274); 1 where there is none. */
export function jpegOrientation(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  for (let offset = 2; offset + 4 <= bytes.length && view.getUint8(offset) === 0xff; ) {
    const marker = view.getUint8(offset + 1);
    // 0xDA begins the pixels; metadata comes before them.
    if (marker === 0xda) return 1;
    if (marker === 0xe1 && ascii(bytes, offset + 4, 6) === 'Exif\0\0')
      return tiffOrientation(bytes.subarray(offset + 10));
    offset += 2 + view.getUint16(offset + 2);
  }
  return 1;
}

function tiffOrientation(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  if (bytes.length < 8) return 1;
  const littleEndian = ascii(bytes, 0, 2) === 'II';
  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > bytes.length) return 1;
  const count = view.getUint16(directory, littleEndian);
  for (let entry = directory + 2; entry + 12 <= bytes.length && entry < directory + 2 + count * 12; entry += 12) {
    if (view.getUint16(entry, littleEndian) !== 0x0112) continue;
    const value = view.getUint16(entry + 8, littleEndian);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const ascii = (bytes: Uint8Array, start: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(start, start + length));
