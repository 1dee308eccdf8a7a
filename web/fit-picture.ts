import { type PictureLimits, pictureType, planPicture, pngHasAlpha } from './picture-plan.ts';

/** A picture that the API takes, or why there is none. */
export type FittedPicture = { ok: true; picture: Picture; note: string | undefined } | { ok: false; message: string };

export interface Picture {
  blob: Blob;
  width: number;
  height: number;
}

/**
 * Makes a file into a picture that is taken: photos of today's cameras are larger than Wan reads, and a screenshot may be
 * transparent, so both are drawn anew rather than refused. Never throws for anything that a file can hold.
 */
export async function fitPicture(file: Blob, limits: PictureLimits): Promise<FittedPicture> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const bitmap = await createImageBitmap(file).catch(() => undefined);
  if (!bitmap) {
    return {
      ok: false,
      message: 'This file is no picture that your browser can read. Choose a JPEG, PNG, WEBP or BMP.',
    };
  }
  try {
    const { width, height } = bitmap;
    const type = pictureType(bytes);
    const alpha = type === 'image/png' && pngHasAlpha(bytes);
    const plan = planPicture({ type, width, height, bytes: bytes.length, alpha }, limits);
    if (plan.kind === 'refuse') return { ok: false, message: plan.message };
    if (plan.kind === 'keep') {
      return { ok: true, picture: { blob: new Blob([bytes], { type: type ?? '' }), width, height }, note: undefined };
    }
    const blob = await draw(bitmap, plan, limits.max_bytes);
    if (!blob)
      return { ok: false, message: 'Your browser could not make this picture small enough. Choose a smaller one.' };
    return { ok: true, picture: { blob, width: plan.width, height: plan.height }, note: plan.note };
  } finally {
    bitmap.close();
  }
}

/** As a JPEG on white, in the best quality that fits. */
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

/** The picture as a `data:` URL, as it travels in a request. */
export function toDataUrl({ blob }: Picture): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
