import { type ImageLimits, imageType, jpegOrientation, planImage, pngHasAlpha } from './image-plan.ts';

export type Preparation = { ok: true; image: PreparedImage; note: string | undefined } | { ok: false; message: string };

/** An image that the API accepts. */
export interface PreparedImage {
  blob: Blob;
  width: number;
  height: number;
}

/**
 * Turns a file into an image that the API accepts: photos exceed Wan's limits or are rotated by EXIF, and screenshots may be
 * transparent, so these are drawn again instead of rejected. Never throws for the content of a file.
 */
export async function prepareImage(file: Blob, limits: ImageLimits): Promise<Preparation> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  // Applies the EXIF orientation.
  const bitmap = await createImageBitmap(file).catch(() => undefined);
  if (!bitmap) {
    return { ok: false, message: 'Your browser cannot read this file as an image. Choose a JPEG, PNG, WEBP or BMP.' };
  }
  try {
    const { width, height } = bitmap;
    const type = imageType(bytes);
    const alpha = type === 'image/png' && pngHasAlpha(bytes);
    const rotated = type === 'image/jpeg' && jpegOrientation(bytes) !== 1;
    const plan = planImage({ type, width, height, bytes: bytes.length, alpha, rotated }, limits);
    if (plan.kind === 'reject') return { ok: false, message: plan.message };
    if (plan.kind === 'keep') {
      return { ok: true, image: { blob: new Blob([bytes], { type: type ?? '' }), width, height }, note: undefined };
    }
    const blob = await draw(bitmap, plan, limits.max_bytes);
    if (!blob) {
      return { ok: false, message: 'Your browser could not make this image small enough. Choose a smaller one.' };
    }
    return { ok: true, image: { blob, width: plan.width, height: plan.height }, note: plan.note };
  } finally {
    bitmap.close();
  }
}

/** Draws a JPEG on white, in the best quality that fits; undefined when no quality fits. */
async function draw(
  bitmap: ImageBitmap,
  size: { width: number; height: number },
  maxBytes: number,
): Promise<Blob | undefined> {
  const canvas = document.createElement('canvas');
  canvas.width = size.width;
  canvas.height = size.height;
  const context = canvas.getContext('2d');
  if (!context) return undefined;
  context.fillStyle = 'white';
  context.fillRect(0, 0, size.width, size.height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, size.width, size.height);
  for (const quality of [0.93, 0.85, 0.7, 0.5]) {
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));
    if (blob && blob.size <= maxBytes) return blob;
  }
  return undefined;
}
