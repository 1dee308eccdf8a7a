/** What the API takes: pixels of each side, bytes of the file. */
export interface PictureLimits {
  min_side: number;
  max_side: number;
  max_bytes: number;
}

export interface PictureFacts {
  /** MIME type by the file's bytes; undefined for none that Wan reads. */
  type: string | undefined;
  width: number;
  height: number;
  bytes: number;
  alpha: boolean;
}

/** What becomes of a picture: it goes as it is, is drawn anew in a size that is taken, or can't be used. */
export type PicturePlan =
  | { kind: 'keep' }
  | { kind: 'redraw'; width: number; height: number; note: string }
  | { kind: 'refuse'; message: string };

/** Decides what becomes of a picture, and says so in words. */
export function planPicture({ type, width, height, bytes, alpha }: PictureFacts, limits: PictureLimits): PicturePlan {
  const { min_side, max_side, max_bytes } = limits;
  const scale = Math.min(1, max_side / Math.max(width, height));
  const fitted = { width: Math.round(width * scale), height: Math.round(height * scale) };
  if (Math.min(width, height) < min_side) {
    const message = `This picture has ${width} × ${height} pixels, and each side needs at least ${min_side}. Choose a larger one.`;
    return { kind: 'refuse', message };
  }
  if (Math.min(fitted.width, fitted.height) < min_side) {
    const message = `This picture is too narrow: ${width} × ${height} pixels. The long side may be ${Math.floor((10 * max_side) / min_side) / 10} times the short one at most. Crop it.`;
    return { kind: 'refuse', message };
  }
  const done = [
    ...(scale < 1 ? [`scaled down from ${width} × ${height}`] : []),
    ...(alpha ? ['its transparent parts made white'] : []),
    ...(bytes > max_bytes && scale === 1 ? [`compressed from ${sizeInWords(bytes)}`] : []),
    ...(type === undefined ? ['converted to JPEG'] : []),
  ];
  if (done.length === 0) return { kind: 'keep' };
  return { kind: 'redraw', ...fitted, note: `Made to fit: ${done.join(', ')}.` };
}

/** What a file is by its first bytes, whatever its name says; undefined for anything that Wan doesn't read. */
export function pictureType(bytes: Uint8Array): string | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 12));
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (start.startsWith('BM')) return 'image/bmp';
  if (start.startsWith('RIFF') && start.endsWith('WEBP')) return 'image/webp';
  return undefined;
}

/** Whether a PNG can be transparent, which Wan refuses: its colour type says so, or a tRNS chunk before the pixels. */
export function pngHasAlpha(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33) return false;
  if ((view.getUint8(25) & 4) !== 0) return true;
  for (let offset = 8; offset + 8 <= bytes.length; offset += 12 + view.getUint32(offset)) {
    const type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    if (type === 'tRNS') return true;
    if (type === 'IDAT') return false;
  }
  return false;
}

/** `812 KB`, `3.4 MB`. */
export function sizeInWords(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
