import { crc32 } from 'node:zlib';
import type { ImageFormat } from './image-type.ts';

/** What a file's structure shows beyond its header. */
export type ImageStructure = { truncated: boolean; has_alpha: boolean };

/**
 * Reads a picture's structure: whether all of it is there, and whether it has
 * an alpha channel. No pixel is decoded.
 *
 * @param bytes - the file, or its first part
 * @param size - the file's length; with a first part only, what lies beyond is taken to be good
 */
export function readStructure(format: ImageFormat, bytes: Uint8Array, size: number): ImageStructure {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (format) {
    case 'png':
      return pngStructure(file, size);
    case 'jpeg':
      return { truncated: file.length >= size && !hasEndOfJpeg(file), has_alpha: false };
    case 'bmp':
      return { truncated: isBmpTruncated(file, size), has_alpha: false };
    case 'webp':
      return { truncated: file.length < 30 || file.readUInt32LE(4) + 8 > size, has_alpha: hasWebpAlpha(file) };
  }
}

/** PNG: colour types 4 and 6 have alpha, a tRNS chunk gives it to the others; IEND ends the file. */
function pngStructure(file: Buffer, size: number): ImageStructure {
  const truncated = { truncated: true, has_alpha: false };
  if (file.length < 33 || file.toString('latin1', 12, 16) !== 'IHDR') return truncated;
  let alpha = (file.readUInt8(25) & 4) !== 0;
  let offset = 8;
  while (offset + 8 <= file.length) {
    const end = offset + 12 + file.readUInt32BE(offset);
    if (end > size) return truncated;
    const type = file.toString('latin1', offset + 4, offset + 8);
    if (end <= file.length && crc32(file.subarray(offset + 4, end - 4)) !== file.readUInt32BE(end - 4))
      return truncated;
    if (type === 'tRNS') alpha = true;
    if (type === 'IEND') return { truncated: false, has_alpha: alpha };
    offset = end;
  }
  return { truncated: file.length >= size, has_alpha: alpha };
}

/** JPEG: an end marker after the start of the scan; a thumbnail's, within the metadata, comes before it. */
function hasEndOfJpeg(file: Buffer): boolean {
  let offset = 2;
  while (offset + 4 <= file.length) {
    if (file[offset] !== 0xff) return false;
    const marker = file.readUInt8(offset + 1);
    if (marker === 0xff) {
      offset += 1;
      continue;
    }
    if (marker === 0xda) return file.lastIndexOf(Buffer.from([0xff, 0xd9])) > offset;
    offset += 2 + file.readUInt16BE(offset + 2);
  }
  return false;
}

/** BMP: the rows of an uncompressed picture follow from its header; a compressed one says its own length. */
function isBmpTruncated(file: Buffer, size: number): boolean {
  if (file.length < 54) return true;
  const [pixels, width, height] = [file.readUInt32LE(10), file.readInt32LE(18), Math.abs(file.readInt32LE(22))];
  const [bitsPerPixel, compression] = [file.readUInt16LE(28), file.readUInt32LE(30)];
  if (compression !== 0 && compression !== 3) return file.readUInt32LE(2) > size;
  return pixels + Math.ceil((width * bitsPerPixel) / 32) * 4 * height > size;
}

function hasWebpAlpha(file: Buffer): boolean {
  const kind = file.toString('latin1', 12, 16);
  if (kind === 'VP8X') return file.length > 20 && (file.readUInt8(20) & 0x10) !== 0;
  return kind === 'VP8L' && file.length > 24 && (file.readUInt8(24) & 0x10) !== 0;
}
