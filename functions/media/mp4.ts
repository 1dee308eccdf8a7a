import { CustomSource, Input, type InputVideoTrack, MP4 } from 'mediabunny';
import { type ByteSource, inBlocks } from './byte-source.ts';

export type InspectedVideo =
  | {
      ok: true;
      /** As RFC 6381 names them, video first: `avc1.64001f`, `mp4a.40.2`. */
      codecs: string[];
      width: number;
      height: number;
      /** Frames a second, on average, rounded to a thousandth. */
      fps: number;
      duration_seconds: number;
      has_audio: boolean;
    }
  | { ok: false; reason: 'truncated' | 'not_mp4' | 'no_h264_video' | 'unreadable'; message: string };

type Failed = InspectedVideo & { ok: false };

const messages: Record<Failed['reason'], string> = {
  truncated: 'The file ends before its contents do.',
  not_mp4: 'The file is no MP4.',
  no_h264_video: 'The MP4 holds no H.264 video.',
  unreadable: "The MP4's index can't be read.",
};

/**
 * Proves that a file is a whole MP4 with H.264 video and says what is in it.
 * Reads the index alone, in a few ranges of 256 KiB, wherever in the file it is.
 *
 * @throws what `source.read` throws: a failed read says nothing about the file
 */
export async function inspectMp4(source: ByteSource): Promise<InspectedVideo> {
  let readFailure: { error: unknown } | undefined;
  const blocks = inBlocks({
    size: source.size,
    read: (start, end) =>
      source.read(start, end).catch((error) => {
        readFailure = { error };
        throw error;
      }),
  });
  const boxes = await readTopLevelBoxes(blocks);
  if (boxes.kind !== 'whole') return failed(boxes.kind);
  if (!(await hasAudioIndex(blocks, boxes.boxes))) return failed('unreadable');
  const input = new Input({
    formats: [MP4],
    source: new CustomSource({ getSize: () => blocks.size, read: (start, end) => blocks.read(start, end) }),
  });
  try {
    const video = await input.getPrimaryVideoTrack();
    if (!video || (await video.getCodec()) !== 'avc') return failed('no_h264_video');
    return await describe(input, video);
  } catch {
    if (readFailure) throw readFailure.error;
    return failed('unreadable');
  } finally {
    input.dispose();
  }
}

async function describe(input: Input, video: InputVideoTrack): Promise<InspectedVideo> {
  const audio = await input.getAudioTracks();
  const codecs = await Promise.all([video, ...audio].map((track) => track.getCodecParameterString()));
  const { packetCount, averagePacketRate } = await video.computePacketStats(maxSamples);
  const [start, end] = [await video.getFirstTimestamp(), await video.computeDuration()];
  if (packetCount === 0 || !(end > start)) return failed('no_h264_video');
  return {
    ok: true,
    codecs: codecs.filter((codec) => codec !== null),
    width: await video.getDisplayWidth(),
    height: await video.getDisplayHeight(),
    fps: Math.round(averagePacketRate * 1000) / 1000,
    duration_seconds: Math.round((end - start) * 1000) / 1000,
    has_audio: audio.length > 0,
  };
}

function failed(reason: Failed['reason']): Failed {
  return { ok: false, reason, message: messages[reason] };
}

/** No MP4 of ours comes near; a hostile file could hold a box for each eight bytes. */
const maxBoxes = 1000;

type Box = { type: string; start: number; end: number };

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
export async function hasAudioIndex(source: ByteSource, boxes: readonly Box[]): Promise<boolean> {
  for (const { type, start, end } of boxes) {
    if (type !== 'moov' && type !== 'moof') continue;
    if (end - start > maxIndexBytes) return false;
    if (!isAudio(Buffer.from(await source.read(start, end)))) return false;
  }
  return true;
}

/** A run of boxes that fills its parent exactly. */
function isAudio(boxes: Buffer): boolean {
  let offset = 0;
  while (offset < boxes.length) {
    if (offset + 8 > boxes.length) return false;
    const length = boxes.readUInt32BE(offset);
    if (length < 8 || offset + length > boxes.length) return false;
    const type = boxes.toString('latin1', offset + 4, offset + 8);
    const content = boxes.subarray(offset + 8, offset + length);
    if (!(containers.has(type) ? isAudio(content) : isAudioTable(type, content))) return false;
    offset += length;
  }
  return true;
}

function isAudioTable(type: string, table: Buffer): boolean {
  if (type === 'stsz') return isAudioSizeTable(table);
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
function isAudioSizeTable(table: Buffer): boolean {
  if (table.length < 12) return false;
  const count = table.readUInt32BE(8);
  return count <= maxSamples && (table.readUInt32BE(4) !== 0 || 12 + count * 4 <= table.length);
}
