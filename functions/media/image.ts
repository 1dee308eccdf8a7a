import { imageSize } from 'image-size';
import { type ImageType, maxImageBytes } from './data-url.ts';
import { readStructure } from './image-structure.ts';
import { contentTypeOf, type ImageFormat, imageFormatOf } from './image-type.ts';
import type { Problem } from './problem.ts';

export type InspectedImage =
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
