/** The start of a JPEG whose EXIF block holds an orientation. `order` is the byte order, as in the TIFF header. */
export function jpegWithOrientation(orientation: number, order: 'II' | 'MM' = 'II'): Uint8Array {
  return Buffer.concat([Buffer.from([0xff, 0xd8]), exifSegment(orientation, order), Buffer.from([0xff, 0xda])]);
}

/** The same JPEG with an orientation: the EXIF block goes first, as cameras write it. */
export const withOrientation = (jpeg: Buffer, orientation: number): Buffer =>
  Buffer.concat([jpeg.subarray(0, 2), exifSegment(orientation, 'II'), jpeg.subarray(2)]);

function exifSegment(orientation: number, order: 'II' | 'MM'): Buffer {
  const tiff = new DataView(new ArrayBuffer(26));
  const little = order === 'II';
  tiff.setUint16(0, little ? 0x4949 : 0x4d4d);
  tiff.setUint16(2, 42, little);
  tiff.setUint32(4, 8, little);
  tiff.setUint16(8, 1, little);
  tiff.setUint16(10, 0x0112, little);
  tiff.setUint16(12, 3, little);
  tiff.setUint32(14, 1, little);
  tiff.setUint16(18, orientation, little);
  const body = Buffer.concat([Buffer.from('Exif\0\0'), Buffer.from(tiff.buffer)]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}
