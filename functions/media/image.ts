import type { ValueIssue } from '../shared/issues.ts';
import { type ImageType, imageTypes, mediaTypeOf, wrongKindMessage } from './file-kind.ts';

/** Wan's limit for an image (reference, "img_url": 10 MB), read as mebibytes. */
export const maxImageBytes = 10 * 1024 * 1024;

/** Pixels of each side and bytes of the file; a model's row in the catalogue has them as `image`. */
export type ImageLimits = {
  readonly min_side: number;
  readonly max_side: number;
  readonly max_bytes: number;
  /** The longer side divided by the shorter one. @default no limit */
  readonly max_ratio?: number;
};

/** What becomes of images that only their EXIF orientation turns upright: Wan does not document whether it follows it. */
export type RotatedImages = 'accept' | 'refuse';

/** The limits of the reference ("img_url"). */
const referenceImageLimits: ImageLimits = { min_side: 360, max_side: 2000, max_bytes: maxImageBytes };

/** What an accepted file is by its bytes, and what is doubtful about it. */
export type InspectedMedia<Facts> =
  | { ok: true; facts: Facts; warnings: ValueIssue[] }
  | { ok: false; issues: ValueIssue[] };

export type ImageFacts = { content_type: ImageType; bytes: number; width: number; height: number };

/**
 * Checks an image as Wan does when a task is submitted: its type (by its bytes, never by its name), bytes, pixels and alpha channel.
 * Reads only the header. Refuses what Wan certainly refuses and warns about what is doubtful: a refusal by Wan costs nothing.
 * Returns every issue; never throws.
 *
 * @param bytes - the whole file or its first part: 64 KiB hold the header of nearly all images
 * @param size - the file's length in bytes
 */
export function inspectImage(
  bytes: Uint8Array,
  size: number,
  limits: ImageLimits = referenceImageLimits,
  rotatedImages: RotatedImages = 'accept',
): InspectedMedia<ImageFacts> {
  const [issues, warnings]: [ValueIssue[], ValueIssue[]] = [[], []];
  const refuse = (code: string, message: string) => issues.push({ code, message });
  const warn = (code: string, message: string) => warnings.push({ code, message });
  const content_type = imageTypeOf(bytes);
  const extension = (content_type ?? 'image/…').slice('image/'.length).replace('jpeg', 'jpg');
  const name = extension.toUpperCase();
  const command = (options: string) => `\`magick in.${extension} ${options} out.${extension}\``;

  if (size > limits.max_bytes) {
    const rule = `Wan accepts at most ${limits.max_bytes}`;
    refuse(
      'image_too_large',
      `The image has ${size} bytes; ${rule}. Compress it: \`magick in.${extension} -quality 85 out.jpg\`.`,
    );
  }
  const header = readImageHeader(bytes, content_type);
  if (!header || !content_type) {
    if (size === 0) refuse('image_empty', 'The image is an empty file. Send it again.');
    else if (!content_type) refuse('unsupported_image_type', wrongKindMessage(bytes, 'image'));
    else if (bytes.byteLength === size) refuse('image_unreadable', `The ${name} has no readable size. Save it again.`);
    return { ok: false, issues };
  }
  const { width, height, orientation = 1, alpha, animated, bits = 8, truncated } = header;
  const pixels = `${width} × ${height} pixels`;
  const { min_side, max_side } = limits;
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
  if (shorter < min_side || longer > max_side) {
    const [least, most] = [`${min_side}x${min_side}`, `${max_side}x${max_side}`];
    const isTooLong = longer / shorter > max_side / min_side;
    const crop = isTooLong ? ` -gravity center -crop '${most}+0+0' +repage` : '';
    const resize = `-resize '${longer > max_side && !isTooLong ? `${most}>` : `${least}^`}'${crop}`;
    const rule = `each side must have ${min_side} to ${max_side}`;
    refuse('image_dimensions', `The image has ${pixels}; ${rule}. Resize it: ${command(resize)}.`);
  }
  if (longer / shorter > (limits.max_ratio ?? Number.POSITIVE_INFINITY)) {
    const rule = `the longer side may be ${limits.max_ratio} times the shorter one`;
    const crop =
      width > height ? `${shorter * limits.max_ratio!}x${shorter}` : `${shorter}x${shorter * limits.max_ratio!}`;
    const message = `The image has ${pixels}; ${rule}. Crop it: ${command(`-gravity center -crop '${crop}+0+0' +repage`)}.`;
    refuse('image_dimensions', message);
  }
  if (bits !== 8) {
    const reason = 'which common decoders cannot read';
    refuse('unsupported_image_type', `The ${name} has ${bits} bits per sample, ${reason}. Export it again with 8.`);
  }
  if (alpha) {
    const removal = `Remove it: ${command('-background white -alpha remove -alpha off')}.`;
    const message = `The ${name} has an alpha channel`;
    if (extension === 'png') refuse('image_has_alpha', `${message}, which Wan does not accept. ${removal}`);
    else warn('image_has_alpha', `${message}: Wan may show what its transparent areas hide. ${removal}`);
  }
  if (orientation > 1 && orientation <= 8) {
    const message = `The image is stored as ${pixels}; only its EXIF orientation (${orientation}) turns it, which Wan may ignore`;
    const report = rotatedImages === 'refuse' ? refuse : warn;
    report('image_rotated_by_exif', `${message}. Save it upright: ${command('-auto-orient')}.`);
  }
  if (animated) warn('image_animated', 'The image is an animation, of which Wan uses at most one frame.');
  if (truncated && bytes.byteLength === size)
    warn('image_truncated', `The ${name} ends too early for what it declares: it may be cut off.`);
  if (issues.length > 0) return { ok: false, issues };
  return { ok: true, facts: { content_type, bytes: size, width, height }, warnings };
}

type ImageHeader = {
  width: number;
  height: number;
  /** EXIF; 1 is upright. */
  orientation?: number | undefined;
  /** Of a JPEG's sample. */
  bits?: number;
} & { [Trait in 'alpha' | 'animated' | 'truncated']?: boolean };

const readers = { 'image/jpeg': readJpeg, 'image/png': readPng, 'image/bmp': readBmp, 'image/webp': readWebp } as const;

/** Reads the header of an image of one of the types that Wan reads; undefined if it has no size. */
export function readImageHeader(bytes: Uint8Array, type = imageTypeOf(bytes)): ImageHeader | undefined {
  try {
    const header = type && readers[type](Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return header && header.width > 0 && header.height > 0 ? header : undefined;
  } catch {
    // A read past the end.
    return undefined;
  }
}

function imageTypeOf(bytes: Uint8Array): ImageType | undefined {
  const type = mediaTypeOf(bytes);
  return imageTypes.find((known) => known === type);
}

/** Follows the markers as libjpeg does: over fill bytes, stray bytes and segments of a wrong length. */
function readJpeg(file: Buffer): ImageHeader | undefined {
  let orientation: number | undefined;
  for (let at = 2; at < file.length; ) {
    const marker = file.readUInt8(at + 1);
    if (file[at] !== 0xff || marker === 0xff) at += 1;
    // Escaped data, and markers without a segment.
    else if (marker < 2 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else if (marker === 0xd9 || marker === 0xda) return undefined;
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [bits, height, width] = [file.readUInt8(at + 4), file.readUInt16BE(at + 5), file.readUInt16BE(at + 7)];
      return { width, height, bits, orientation, truncated: !file.includes(endOfJpeg, at) };
    } else {
      const end = at + 2 + file.readUInt16BE(at + 2);
      if (marker === 0xe1) orientation ??= orientationOf(file.subarray(at + 4, end));
      at = end;
    }
  }
  return undefined;
}

const endOfJpeg = Buffer.from([0xff, 0xd9]);

function readPng(file: Buffer): ImageHeader | undefined {
  if (file.toString('latin1', 12, 16) !== 'IHDR') return undefined;
  // Color types 4 and 6 have an alpha channel; a tRNS chunk before the pixels gives one to the others.
  const alpha = (file.readUInt8(25) & 4) !== 0;
  const header: ImageHeader = { width: file.readUInt32BE(16), height: file.readUInt32BE(20), alpha };
  header.truncated = !file.includes('IEND', 33, 'latin1');
  let hasPixels = false;
  for (let at = 33; at + 8 <= file.length; at += 12 + file.readUInt32BE(at)) {
    const type = file.toString('latin1', at + 4, at + 8);
    if (type === 'IEND') break;
    if (type === 'IDAT') hasPixels = true;
    if (type === 'tRNS' && !hasPixels) header.alpha = true;
    if (type === 'acTL' && !hasPixels) header.animated = true;
    if (type === 'eXIf') header.orientation = orientationOf(file.subarray(at + 8, at + 8 + file.readUInt32BE(at)));
  }
  return header;
}

/** OS/2's first header has 16 bits for a side; all others 32, with a negative height for rows from top to bottom. */
function readBmp(file: Buffer): ImageHeader {
  const headerSize = file.readUInt32LE(14);
  if (headerSize < 16) return { width: file.readUInt16LE(18), height: file.readUInt16LE(20) };
  const alpha = headerSize >= 56 && file.readUInt16LE(28) === 32 && file.readUInt32LE(66) !== 0;
  return { width: file.readInt32LE(18), height: Math.abs(file.readInt32LE(22)), alpha };
}

function readWebp(file: Buffer): ImageHeader | undefined {
  const end = Math.min(file.readUInt32LE(4) + 8, file.length);
  let [at, orientation]: [number, number | undefined] = [12, undefined];
  while (at + 8 <= end) {
    const [start, size] = [at + 8, file.readUInt32LE(at + 4)];
    if (file.toString('latin1', at, at + 4) === 'EXIF') orientation = orientationOf(file.subarray(start, start + size));
    at = start + size + (size % 2);
  }
  const truncated = at > end + 1;
  const bits = file.readUInt32LE(21);
  switch (file.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { width: file.readUInt16LE(26) & 0x3fff, height: file.readUInt16LE(28) & 0x3fff, truncated };
    case 'VP8L':
      return {
        width: (bits & 0x3fff) + 1,
        height: ((bits >>> 14) & 0x3fff) + 1,
        alpha: (bits & (1 << 28)) !== 0,
        truncated,
      };
    case 'VP8X': {
      const flags = file.readUInt8(20);
      const [alpha, animated] = [(flags & 16) !== 0, (flags & 2) !== 0];
      return {
        width: file.readUIntLE(24, 3) + 1,
        height: file.readUIntLE(27, 3) + 1,
        alpha,
        animated,
        orientation,
        truncated,
      };
    }
    default:
      return undefined;
  }
}

/** The orientation in the first directory of EXIF data (TIFF 6.0; tag 0x112), undefined if there is none. */
function orientationOf(exif: Buffer): number | undefined {
  const tiff = exif.subarray(exif.toString('latin1', 0, 4) === 'Exif' ? 6 : 0);
  const isLittleEndian = tiff[0] === 0x49;
  const read = (at: number, bytes: 2 | 4) => {
    if (at + bytes > tiff.length) return 0;
    return isLittleEndian ? tiff.readUIntLE(at, bytes) : tiff.readUIntBE(at, bytes);
  };
  const directory = read(4, 4);
  for (let entry = 0; entry < read(directory, 2); entry += 1) {
    const at = directory + 2 + entry * 12;
    // A SHORT, or a LONG as some programs write it.
    if (read(at, 2) === 0x112) return read(at + 8, read(at + 2, 2) === 4 ? 4 : 2);
  }
  return undefined;
}
