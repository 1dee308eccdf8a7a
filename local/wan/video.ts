import { type Checked, invalidMedia } from './errors.ts';
import { maximumVideoBytes, type VideoLimits } from './models.ts';

export interface CheckedVideo {
  readonly format: 'mp4' | 'mov';
  readonly width: number;
  readonly height: number;
  readonly seconds: number;
  readonly hasAudio: boolean;
}

interface Box {
  readonly type: string;
  readonly content: Buffer;
}

/** Room for a frame more or less, and for rounding to the time scale of the file. */
const tolerance = 0.05;

/** Checks a video file by its boxes: MP4 or MOV with a video track, its length, sides, frame rate and size (later facts). */
export function checkVideo(bytes: Uint8Array, limits: VideoLimits): Checked<CheckedVideo> {
  if (bytes.length > maximumVideoBytes) return invalidMedia('the video is larger than 100 MB');
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const video = readVideo(file);
  if (!video) return invalidMedia('the video is not an MP4 or MOV file with a video track');
  const { fps, ...described } = video;
  const { width, height, seconds } = video;
  const { minimumSeconds, maximumSeconds, minimumSide, maximumSide, minimumFps } = limits;
  if (seconds < minimumSeconds - tolerance || seconds > maximumSeconds + tolerance)
    return invalidMedia(`the video is ${seconds.toFixed(1)} s long, not ${minimumSeconds} to ${maximumSeconds} s`);
  if (Math.min(width, height) < minimumSide || Math.max(width, height) > maximumSide)
    return invalidMedia(
      `the video has ${width}×${height} pixels, width and height must be ${minimumSide} to ${maximumSide}`,
    );
  if (fps < minimumFps - tolerance)
    return invalidMedia(`the video has ${fps.toFixed(1)} frames per second, at least ${minimumFps} are needed`);
  return { value: described };
}

/** Reads the first video track; undefined without one, or when a box is cut off. */
function readVideo(file: Buffer): (CheckedVideo & { readonly fps: number }) | undefined {
  try {
    const top = boxesOf(file);
    const brand = top.find(({ type }) => type === 'ftyp')?.content.toString('latin1', 0, 4);
    const tracks = boxesOf(top.find(({ type }) => type === 'moov')?.content)
      .filter(({ type }) => type === 'trak')
      .map(({ content }) => find(content, 'mdia'));
    const track = tracks.find((media) => handlerOf(media) === 'vide');
    const header = find(track, 'mdhd');
    const samples = find(find(track, 'minf'), 'stbl');
    const entry = find(samples, 'stsd');
    const times = find(samples, 'stts');
    if (!header || !entry || !times) return undefined;
    const isLong = header.readUInt8(0) === 1;
    const timescale = header.readUInt32BE(isLong ? 20 : 12);
    const duration = isLong ? Number(header.readBigUInt64BE(24)) : header.readUInt32BE(16);
    const seconds = duration / timescale;
    const [width, height] = [entry.readUInt16BE(8 + 32), entry.readUInt16BE(8 + 34)];
    if (!(seconds > 0) || !Number.isFinite(seconds) || Math.min(width, height) === 0) return undefined;
    return {
      format: brand === 'qt  ' || brand === undefined ? 'mov' : 'mp4',
      ...{ width, height, seconds },
      fps: countSamples(times) / seconds,
      hasAudio: tracks.some((media) => handlerOf(media) === 'soun'),
    };
  } catch (error) {
    // A box ends before its fields.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function boxesOf(content: Buffer | undefined): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; content && at + 8 <= content.length; ) {
    const declared = content.readUInt32BE(at);
    const isLarge = declared === 1;
    const size = declared === 0 ? content.length - at : isLarge ? Number(content.readBigUInt64BE(at + 8)) : declared;
    if (size < 8) return boxes;
    const type = content.toString('latin1', at + 4, at + 8);
    boxes.push({ type, content: content.subarray(at + (isLarge ? 16 : 8), at + size) });
    at += size;
  }
  return boxes;
}

function find(content: Buffer | undefined, wanted: string): Buffer | undefined {
  return boxesOf(content).find(({ type }) => type === wanted)?.content;
}

function handlerOf(media: Buffer | undefined): string | undefined {
  return find(media, 'hdlr')?.toString('latin1', 8, 12);
}

/** Adds up the table of sample durations: pairs of a count and a duration. */
function countSamples(times: Buffer): number {
  let samples = 0;
  for (let entry = 0; entry < times.readUInt32BE(4); entry += 1) samples += times.readUInt32BE(8 + entry * 8);
  return samples;
}
