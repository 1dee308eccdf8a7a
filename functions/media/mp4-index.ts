import type { ByteSource } from './byte-source.ts';
import type { Box } from './mp4-boxes.ts';

/** Samples of a track: 15 s of video have 450, of sound some 700. */
export const maxSamples = 100_000;
const maxIndexBytes = 4 * 1024 * 1024;

const containers = new Set(['moov', 'trak', 'edts', 'mdia', 'minf', 'stbl', 'mvex', 'moof', 'traf']);

/** Tables of a version, flags, a count and so many bytes for each entry. */
const entryBytes: Readonly<Record<string, number>> = {
  stts: 8,
  ctts: 8,
  stsc: 12,
  stss: 4,
  stco: 4,
  co64: 8,
  trun: 0,
  elst: 12,
};

/**
 * True if the tables of an MP4's index are as long as they say and count a sane
 * number of samples (ISO/IEC 14496-12, 8.6 to 8.8). A parser that believes a
 * damaged count walks through billions of samples.
 */
export async function hasSoundIndex(source: ByteSource, boxes: readonly Box[]): Promise<boolean> {
  for (const { type, start, end } of boxes) {
    if (type !== 'moov' && type !== 'moof') continue;
    if (end - start > maxIndexBytes) return false;
    if (!isSound(Buffer.from(await source.read(start, end)))) return false;
  }
  return true;
}

/** A run of boxes that fills its parent exactly. */
function isSound(boxes: Buffer): boolean {
  let offset = 0;
  while (offset < boxes.length) {
    if (offset + 8 > boxes.length) return false;
    const length = boxes.readUInt32BE(offset);
    if (length < 8 || offset + length > boxes.length) return false;
    const type = boxes.toString('latin1', offset + 4, offset + 8);
    const content = boxes.subarray(offset + 8, offset + length);
    if (!(containers.has(type) ? isSound(content) : isSoundTable(type, content))) return false;
    offset += length;
  }
  return true;
}

function isSoundTable(type: string, table: Buffer): boolean {
  if (type === 'stsz') return isSoundSizeTable(table);
  const bytes = entryBytes[type];
  if (bytes === undefined) return true;
  if (table.length < 8) return false;
  const count = table.readUInt32BE(4);
  if (count > maxSamples || 8 + count * bytes > table.length) return false;
  if (type !== 'stts' && type !== 'ctts' && type !== 'stsc') return true;
  // stts and ctts say how many samples an entry covers; stsc, in its second field, how many a chunk holds.
  const field = type === 'stsc' ? 4 : 0;
  let samples = 0;
  for (let entry = 0; entry < count; entry += 1) samples += table.readUInt32BE(8 + entry * bytes + field);
  return samples <= maxSamples;
}

/** One size for all samples, or a size for each. */
function isSoundSizeTable(table: Buffer): boolean {
  if (table.length < 12) return false;
  const count = table.readUInt32BE(8);
  return count <= maxSamples && (table.readUInt32BE(4) !== 0 || 12 + count * 4 <= table.length);
}
