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
    const movie = top.find(({ type }) => type === 'moov')?.content;
    const tracks = boxesOf(movie).filter(({ type }) => type === 'trak');
    const track = tracks.find(({ content }) => handlerOf(content) === 'vide')?.content;
    const media = find(track, 'mdia');
    const header = find(media, 'mdhd');
    const samples = find(find(media, 'minf'), 'stbl');
    const [entry, times, trackHeader] = [find(samples, 'stsd'), find(samples, 'stts'), find(track, 'tkhd')];
    if (!header || !entry || !times || !trackHeader) return undefined;
    const trackId = trackHeader.readUInt32BE(trackHeader.readUInt8(0) === 1 ? 20 : 12);
    const { count, duration } = sum(addUpTimes(times), addUpFragments(top, movie, trackId));
    const seconds = duration / header.readUInt32BE(header.readUInt8(0) === 1 ? 20 : 12);
    const [width, height] = [entry.readUInt16BE(8 + 32), entry.readUInt16BE(8 + 34)];
    if (!(seconds > 0) || !Number.isFinite(seconds) || Math.min(width, height) === 0) return undefined;
    return {
      format: brand === 'qt  ' || brand === undefined ? 'mov' : 'mp4',
      ...{ width, height, seconds },
      fps: count / seconds,
      hasAudio: tracks.some(({ content }) => handlerOf(content) === 'soun'),
    };
  } catch (error) {
    // A box ends before its fields.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Number of samples, and their duration in units of the track. */
interface Samples {
  readonly count: number;
  readonly duration: number;
}

function sum(one: Samples, other: Samples): Samples {
  return { count: one.count + other.count, duration: one.duration + other.duration };
}

/** Adds up the table of sample durations: pairs of a count and a duration. */
function addUpTimes(times: Buffer): Samples {
  let samples = { count: 0, duration: 0 };
  for (let entry = 0; entry < times.readUInt32BE(4); entry += 1) {
    const [count, each] = [times.readUInt32BE(8 + entry * 8), times.readUInt32BE(12 + entry * 8)];
    samples = sum(samples, { count, duration: count * each });
  }
  return samples;
}

/** Adds up the samples of a track in fragments, as programs write them that stream a file. */
function addUpFragments(top: readonly Box[], movie: Buffer | undefined, trackId: number): Samples {
  const defaults = boxesOf(find(movie, 'mvex')).find(
    ({ type, content }) => type === 'trex' && content.readUInt32BE(4) === trackId,
  );
  let samples = { count: 0, duration: 0 };
  for (const { content } of top.filter(({ type }) => type === 'moof')) {
    for (const { content: fragment } of boxesOf(content).filter(({ type }) => type === 'traf')) {
      const header = find(fragment, 'tfhd');
      if (header?.readUInt32BE(4) !== trackId) continue;
      const flags = header.readUInt32BE(0);
      const at = 8 + (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0);
      const each = flags & 8 ? header.readUInt32BE(at) : (defaults?.content.readUInt32BE(12) ?? 0);
      for (const run of boxesOf(fragment).filter(({ type }) => type === 'trun')) {
        samples = sum(samples, addUpRun(run.content, each));
      }
    }
  }
  return samples;
}

/** Adds up one run of samples, which has a duration for each if its flags declare that. */
function addUpRun(run: Buffer, each: number): Samples {
  const [flags, count] = [run.readUInt32BE(0), run.readUInt32BE(4)];
  if (!(flags & 0x100)) return { count, duration: count * each };
  const members = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length;
  let at = 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
  let duration = 0;
  for (let sample = 0; sample < count; sample += 1, at += members * 4) duration += run.readUInt32BE(at);
  return { count, duration };
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

function handlerOf(track: Buffer): string | undefined {
  return find(find(track, 'mdia'), 'hdlr')?.toString('latin1', 8, 12);
}
