import type { ByteSource } from './byte-source.ts';

/** No MP4 of ours comes near; a hostile file could hold a box for each eight bytes. */
const maxBoxes = 1000;

export type Box = { type: string; start: number; end: number };

export type Boxes = { kind: 'whole'; boxes: Box[] } | { kind: 'truncated' } | { kind: 'not_mp4' };

/**
 * Walks the top-level boxes of an ISO base media file (ISO/IEC 14496-12, 4.2).
 * A file that was cut off ends within a box, since the length of `mdat` is
 * written before its data.
 */
export async function readTopLevelBoxes(source: ByteSource): Promise<Boxes> {
  const boxes: Box[] = [];
  let offset = 0;
  while (offset < source.size) {
    if (boxes.length >= maxBoxes) return { kind: 'not_mp4' };
    if (offset + 8 > source.size) return boxes.length > 0 ? { kind: 'truncated' } : { kind: 'not_mp4' };
    const header = Buffer.from(await source.read(offset, Math.min(offset + 16, source.size)));
    const type = header.toString('latin1', 4, 8);
    if (boxes.length === 0 && type !== 'ftyp') return { kind: 'not_mp4' };
    const length = boxLength(header, source.size - offset);
    if (length === undefined) return { kind: 'not_mp4' };
    if (offset + length > source.size) return { kind: 'truncated' };
    boxes.push({ type, start: offset, end: offset + length });
    offset += length;
  }
  if (boxes.length === 0) return { kind: 'not_mp4' };
  // Cut off exactly between two boxes.
  return boxes.some(({ type }) => type === 'moov') ? { kind: 'whole', boxes } : { kind: 'truncated' };
}

/** A size of 1 means that 64 bits follow; one of 0, that the box reaches to the end of the file. */
function boxLength(header: Buffer, rest: number): number | undefined {
  const size = header.readUInt32BE(0);
  if (size === 0) return rest;
  if (size !== 1) return size >= 8 ? size : undefined;
  const long = header.length >= 16 ? Number(header.readBigUInt64BE(8)) : 0;
  return long >= 16 ? long : undefined;
}
