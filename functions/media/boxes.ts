import type { ByteSource } from './byte-source.ts';

export type Box = { type: string; start: number; end: number };

/** More than any MP4 of Wan's has: a hostile file could hold a box per eight bytes. */
const maxBoxes = 1000;

/**
 * Walks the top-level boxes of an ISO base media file (ISO/IEC 14496-12, 4.2). A truncated file ends within a box, since the length
 * of `mdat` is written before its data.
 * @param first the types with which a file may begin
 */
export async function readTopLevelBoxes(
  source: ByteSource,
  first: readonly string[] = ['ftyp'],
): Promise<Box[] | 'truncated' | 'not_mp4'> {
  const boxes: Box[] = [];
  for (let start = 0; start < source.size; start = boxes.at(-1)!.end) {
    const rest = source.size - start;
    if (boxes.length >= maxBoxes) return 'not_mp4';
    if (rest < 8) return boxes.length > 0 ? 'truncated' : 'not_mp4';
    const header = Buffer.from(await source.read(start, start + Math.min(16, rest)));
    const type = header.toString('latin1', 4, 8);
    const length = boxLength(header, rest);
    if (length === undefined || (boxes.length === 0 && !first.includes(type))) return 'not_mp4';
    if (length > rest) return 'truncated';
    boxes.push({ type, start, end: start + length });
  }
  if (boxes.length === 0) return 'not_mp4';
  // Cut off exactly between two boxes.
  return boxes.some(({ type }) => type === 'moov') ? boxes : 'truncated';
}

/** A size of 1 means that 64 bits follow; one of 0, that the box reaches to the end of the file. */
function boxLength(header: Buffer, rest: number): number | undefined {
  const size = header.readUInt32BE(0);
  if (size === 0) return rest;
  if (size !== 1) return size >= 8 ? size : undefined;
  const long = header.length >= 16 ? Number(header.readBigUInt64BE(8)) : 0;
  return long >= 16 ? long : undefined;
}

/** Samples of a track: 15 s of video have 450, of audio some 700. */
export const maxSamples = 100_000;
const maxIndexBytes = 4 * 1024 * 1024;

const containers = new Set(['moov', 'trak', 'edts', 'mdia', 'minf', 'stbl', 'mvex', 'moof', 'traf']);

/** Bytes per entry of tables that have a version, flags and a count. */
const entryBytes = new Map(
  Object.entries({ stts: 8, ctts: 8, stsc: 12, stss: 4, stco: 4, co64: 8, trun: 0, elst: 12 }),
);

/**
 * Whether the tables of an MP4's index have the lengths that they declare and count a plausible number of samples (ISO/IEC 14496-12,
 * 8.6 to 8.8). A parser that trusts a damaged count walks through billions of samples.
 */
export async function hasValidIndex(source: ByteSource, boxes: readonly Box[]): Promise<boolean> {
  for (const { type, start, end } of boxes) {
    if (type !== 'moov' && type !== 'moof') continue;
    if (end - start > maxIndexBytes || !areValid(Buffer.from(await source.read(start, end)))) return false;
  }
  return true;
}

/** Boxes in a row that fill their parent exactly. */
function areValid(boxes: Buffer): boolean {
  for (let offset = 0; offset < boxes.length; offset += boxes.readUInt32BE(offset)) {
    const length = offset + 8 > boxes.length ? 0 : boxes.readUInt32BE(offset);
    if (length < 8 || offset + length > boxes.length) return false;
    const type = boxes.toString('latin1', offset + 4, offset + 8);
    const content = boxes.subarray(offset + 8, offset + length);
    if (!(containers.has(type) ? areValid(content) : isValidTable(type, content))) return false;
  }
  return true;
}

function isValidTable(type: string, table: Buffer): boolean {
  // stsz has one size for all samples, or one for each.
  const isSizes = type === 'stsz' && table.length >= 8;
  const start = type === 'stsz' ? 12 : 8;
  const bytes = isSizes ? (table.readUInt32BE(4) === 0 ? 4 : 0) : entryBytes.get(type);
  if (bytes === undefined) return type !== 'stsz';
  if (table.length < start) return false;
  const count = table.readUInt32BE(start - 4);
  if (count > maxSamples || start + count * bytes > table.length) return false;
  if (type !== 'stts' && type !== 'ctts' && type !== 'stsc') return true;
  // stts and ctts declare how many samples an entry covers; stsc, in its second field, how many a chunk holds.
  const field = type === 'stsc' ? 4 : 0;
  let samples = 0;
  for (let entry = 0; entry < count; entry += 1) samples += table.readUInt32BE(start + entry * bytes + field);
  return samples <= maxSamples;
}
