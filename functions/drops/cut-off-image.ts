import { imageFormatOf } from '../media/image.ts';

/**
 * Whether a file may be the first part of an image that is still being written: gateways and mounts store 0 bytes, then a part, then the
 * whole. Trailing bytes of another program look like this too, so it is a reason to wait, not to refuse.
 */
export function mayBeCutOff(bytes: Uint8Array, size: number): boolean {
  if (bytes.byteLength < size) return false;
  if (size === 0) return true;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = imageFormatOf(bytes);
  if (format && size < 16) return true;
  switch (format) {
    case 'jpeg':
      return !file.subarray(-2).equals(endOfJpeg);
    case 'png':
      return !file.includes(endOfPng);
    case 'webp':
      return file.readUInt32LE(4) + 8 > size;
    case 'bmp':
      return file.readUInt32LE(2) > size;
    default:
      return false;
  }
}

const endOfJpeg = Buffer.from([0xff, 0xd9]);
/** The type of the last chunk and its checksum, which is always the same. */
const endOfPng = Buffer.from('IEND\xaeB`\x82', 'latin1');
