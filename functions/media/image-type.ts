import type { ImageType } from './data-url.ts';

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
