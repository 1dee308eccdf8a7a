import { decodeDataUrl } from '../media/data-url.ts';
import { inspectImage } from '../media/image.ts';
import type { Violation } from '../shared/issues.ts';
import { findModel } from '../wan/catalogue.ts';
import type { VideoRequest } from '../wan/validation/request.ts';

/** An inline picture's limit: a Lambda event carries 6 MB, and base64 takes a third more than the bytes. */
export const MAX_INLINE_IMAGE_BYTES = 4 * 1024 * 1024;

/** A picture that came as a `data:` URL, and was found to be one that its model takes. */
export interface InlineImage {
  bytes: Uint8Array;
  content_type: string;
  /** Pixels. */
  width: number;
  height: number;
}

/**
 * Decodes and inspects a request's `data:` picture.
 * @returns the picture, undefined for a URL that Wan fetches itself, or what is wrong
 */
export function readInlineImage({ model, input }: VideoRequest): InlineImage | undefined | Violation[] {
  if (!input.img_url.startsWith('data:')) return undefined;
  const located = (problems: readonly { code: string; message: string }[]) =>
    problems.map((problem) => ({ pointer: '/input/img_url', ...problem }));
  const decoded = decodeDataUrl(input.img_url, MAX_INLINE_IMAGE_BYTES);
  if (!decoded.ok) return located(decoded.violations);
  const { bytes } = decoded;
  const inspected = inspectImage(bytes, bytes.byteLength, findModel(model).image);
  if (!inspected.ok) return located(inspected.violations);
  const { content_type, width, height } = inspected;
  return { bytes, content_type, width, height };
}
