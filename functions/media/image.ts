import { imageSize } from 'image-size';
import { type ImageType, type MediaIssue, maxImageBytes } from './data-url.ts';

type InspectedImage =
  | { ok: true; content_type: ImageType; width: number; height: number }
  | { ok: false; issues: MediaIssue[] };

/** Pixels of each side and bytes of the file; a model's row in the catalogue has them as `image`. */
export type ImageLimits = { readonly min_side: number; readonly max_side: number; readonly max_bytes: number };

/** The limits of the reference ("img_url"). */
const referenceImageLimits: ImageLimits = { min_side: 360, max_side: 2000, max_bytes: maxImageBytes };

/**
 * Looks at a picture as Wan does when a task is submitted: what it is by its bytes (never by its name), its size, and whether it has
 * an alpha channel. No pixel is decoded: Wan itself refuses a damaged picture, at no cost. Names every issue; never throws.
 *
 * @param bytes - the whole file or its first part: 64 KiB hold the header of nearly all pictures
 * @param size - the file's length in bytes
 */
export function inspectImage(
  bytes: Uint8Array,
  size: number,
  limits: ImageLimits = referenceImageLimits,
): InspectedImage {
  const issues: MediaIssue[] = [];
  const refuse = (code: string, message: string) => issues.push({ code, message });
  if (bytes.byteLength === 0 || size === 0) {
    refuse('image_empty', 'The picture is an empty file. Upload it again.');
    return { ok: false, issues };
  }
  const format = imageFormatOf(bytes);
  if (size > limits.max_bytes) {
    refuse('image_too_large', `The picture has ${size} bytes; at most ${limits.max_bytes} are taken. Make it smaller.`);
  }
  if (!format) {
    refuse('unsupported_image_type', 'The file is no JPEG, PNG, BMP or WEBP picture. Convert it to one of these.');
    return { ok: false, issues };
  }
  const dimensions = dimensionsOf(bytes);
  if (!dimensions) refuse('image_unreadable', "The picture's size can't be read. Save it again with another program.");
  if (dimensions && !isWithin(dimensions, limits)) {
    refuse(
      'image_dimensions',
      `The picture has ${dimensions.width} × ${dimensions.height} pixels; each side must have ${limits.min_side} to ${limits.max_side}. Resize it.`,
    );
  }
  if (format === 'png' && hasAlpha(bytes)) {
    refuse(
      'image_has_alpha',
      'The PNG has an alpha channel, which Wan does not take. Save it without transparency, or as JPEG.',
    );
  }
  if (issues.length > 0 || !dimensions) return { ok: false, issues };
  return { ok: true, content_type: contentTypeOf(format), ...dimensions };
}

/** No format says a size in fewer bytes. `imageSize` reads past the end of a part of a buffer. */
const SHORTEST_HEADER = 30;

function dimensionsOf(bytes: Uint8Array): { width: number; height: number } | undefined {
  if (bytes.byteLength < SHORTEST_HEADER) return undefined;
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

/** Whether a PNG has an alpha channel: colour types 4 and 6 have one, a tRNS chunk before the pixels gives it to the others. */
function hasAlpha(png: Uint8Array): boolean {
  const file = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  if (file.length > 25 && (file.readUInt8(25) & 4) !== 0) return true;
  for (let offset = 8; offset + 8 <= file.length; offset += 12 + file.readUInt32BE(offset)) {
    const type = file.toString('latin1', offset + 4, offset + 8);
    if (type === 'tRNS') return true;
    if (type === 'IDAT') return false;
  }
  return false;
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
