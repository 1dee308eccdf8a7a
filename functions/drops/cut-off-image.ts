import { mediaTypeOf } from '../media/file-kind.ts';

/**
 * Whether a file may be the first part of an image that is still being written: gateways and mounts store 0 bytes, then a part, then the
 * whole. Trailing bytes of another program look like this too, so it is a reason to wait, not to refuse.
 */
export function mayBeCutOff(bytes: Uint8Array, size: number): boolean {
  if (bytes.byteLength < size) return false;
  if (size === 0) return true;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = mediaTypeOf(bytes);
  if (type && size < 16) return true;
  switch (type) {
    case 'image/jpeg':
      return !file.subarray(-2).equals(endOfJpeg);
    case 'image/png':
      return !file.includes(endOfPng);
    case 'image/webp':
      return file.readUInt32LE(4) + 8 > size;
    case 'image/bmp':
      return file.readUInt32LE(2) > size;
    default:
      return false;
  }
}

const endOfJpeg = Buffer.from([0xff, 0xd9]);
/** The type of the last chunk and its checksum, which is always the same. */
const endOfPng = Buffer.from('IEND\xaeB`\x82', 'latin1');
