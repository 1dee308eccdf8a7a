import { imageSize } from 'image-size';
import { type Checked, invalidMedia } from './errors.ts';
import type { Model } from './models.ts';

export type ImageFormat = 'jpg' | 'png' | 'bmp' | 'webp';

export interface CheckedImage {
  readonly format: ImageFormat;
  readonly width: number;
  readonly height: number;
}

/** The MIME type of a `data:` URL for each format (reference, "Input image"). */
const mimeTypes: Readonly<Record<ImageFormat, string>> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  bmp: 'image/bmp',
  webp: 'image/webp',
};

/**
 * Checks a first frame by the reference's "Image limits": format (by its bytes), both sides, file size, and no alpha
 * channel in a PNG. Rejects any other with `InvalidURL` (facts, "Errors").
 *
 * @param declaredType the MIME type of a `data:` URL, which must match the format
 */
export function checkImage(bytes: Uint8Array, model: Model, declaredType?: string): Checked<CheckedImage> {
  const { minimumSide, maximumSide, maximumBytes } = model.image;
  if (bytes.length > maximumBytes) return invalidMedia(`the image is larger than ${maximumBytes / 1024 / 1024} MB`);
  const read = readHeader(bytes);
  if (!read) return invalidMedia('the image is not a JPEG, PNG, BMP or WEBP file');
  const { format, width, height } = read;
  if (declaredType !== undefined && declaredType.toLowerCase() !== mimeTypes[format]) {
    return invalidMedia(`the data URL declares ${declaredType}, but the image is ${mimeTypes[format]}`);
  }
  if (Math.min(width, height) < minimumSide || Math.max(width, height) > maximumSide) {
    return invalidMedia(
      `the image has ${width}×${height} pixels, width and height must be ${minimumSide} to ${maximumSide}`,
    );
  }
  if (format === 'png' && hasAlphaChannel(bytes)) return invalidMedia('the PNG image has an alpha channel');
  return { value: read };
}

function readHeader(bytes: Uint8Array): CheckedImage | undefined {
  try {
    const { type, width, height } = imageSize(bytes);
    const format = (['jpg', 'png', 'bmp', 'webp'] as const).find((known) => known === type);
    return format && { format, width, height: Math.abs(height) };
  } catch {
    return undefined;
  }
}

/** Reads the color type of the IHDR chunk: 4 is gray with alpha, 6 is RGB with alpha. */
function hasAlphaChannel(png: Uint8Array): boolean {
  return png[25] === 4 || png[25] === 6;
}
