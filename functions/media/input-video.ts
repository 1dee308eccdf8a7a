import type { ValueIssue } from '../shared/issues.ts';
import { type Box, readTopLevelBoxes } from './boxes.ts';
import { type ByteSource, inBlocks } from './byte-source.ts';
import { type VideoType, videoTypeOf, wrongKindMessage } from './file-kind.ts';
import type { InspectedMedia } from './image.ts';

/** Limits of a video as an input; a model's row in the catalogue has them as `video_input`. */
export type VideoLimits = {
  readonly min_seconds: number;
  readonly max_seconds: number;
  /** Of all videos of a request together. */
  readonly max_total_seconds?: number;
  readonly max_bytes: number;
  readonly min_fps?: number;
  /** Pixels. */
  readonly min_side?: number;
  readonly max_side?: number;
};

export type VideoFacts = {
  content_type: VideoType;
  bytes: number;
  /** Of the longest track: what Wan may bill. */
  duration_seconds: number;
  width: number;
  height: number;
  /** Frames per second on average, rounded to a thousandth. */
  fps: number;
};

/** Encoders pad a file's audio by up to a few frames, so that it is a little longer than its video. */
const padding = 0.3;
/** The index of a video of 15 s has some 20 KB. */
const maxIndexBytes = 4 * 1024 * 1024;

/**
 * Checks a video that is an input: MP4 or MOV by its bytes, its duration, frame rate, pixels and bytes. Reads only the index, in a few
 * ranges. Returns every issue.
 * @throws the error of a failed `source.read`
 */
export async function inspectInputVideo(file: ByteSource, limits: VideoLimits): Promise<InspectedMedia<VideoFacts>> {
  const refused = (code: string, message: string) => ({ ok: false as const, issues: [{ code, message }] });
  if (file.size === 0) return refused('video_empty', 'The video is an empty file. Send it again.');
  const source = inBlocks(file);
  const start = await source.read(0, Math.min(1024, file.size));
  const content_type = videoTypeOf(start);
  if (!content_type) return refused('unsupported_video_type', wrongKindMessage(start, 'video'));
  const boxes = await readTopLevelBoxes(source, ['ftyp', 'moov', 'wide']);
  if (boxes === 'truncated') return refused('video_unreadable', 'The video is cut off. Send the whole file again.');
  const index = boxes === 'not_mp4' ? undefined : boxes.find(({ type }) => type === 'moov');
  const read = index && index.end - index.start <= maxIndexBytes ? await readIndex(source, index) : undefined;
  if (!read) {
    const command = '`ffmpeg -i in.mp4 -c copy -movflags +faststart out.mp4`';
    return refused('video_unreadable', `The video has no readable index. Write it again: ${command}.`);
  }
  const facts = { content_type, bytes: file.size, ...read };
  const issues = issuesOf(facts, limits);
  return issues.length > 0 ? { ok: false, issues } : { ok: true, facts, warnings: [] };
}

function issuesOf({ bytes, duration_seconds, width, height, fps }: VideoFacts, limits: VideoLimits): ValueIssue[] {
  const { min_seconds, max_seconds, max_bytes, min_fps = 0 } = limits;
  const { min_side = 1, max_side = Number.POSITIVE_INFINITY } = limits;
  const issues: ValueIssue[] = [];
  const refuse = (code: string, message: string) => issues.push({ code, message });
  if (bytes > max_bytes) {
    const rule = `Wan accepts at most ${max_bytes}`;
    refuse(
      'video_too_large',
      `The video has ${bytes} bytes; ${rule}. Compress it: \`ffmpeg -i in.mp4 -crf 28 out.mp4\`.`,
    );
  }
  if (duration_seconds > max_seconds + padding || duration_seconds < min_seconds) {
    const rule = `Wan accepts ${min_seconds} to ${max_seconds} s`;
    const how =
      duration_seconds < min_seconds ? 'Use a longer one' : `Cut it: \`ffmpeg -i in.mp4 -t ${max_seconds} out.mp4\``;
    refuse('video_duration', `The video lasts ${duration_seconds} s; ${rule}. ${how}.`);
  }
  if (fps < min_fps) {
    const rule = `at least ${min_fps} are needed`;
    refuse(
      'video_frame_rate',
      `The video has ${fps} frames per second; ${rule}. Convert it: \`ffmpeg -i in.mp4 -r 30 out.mp4\`.`,
    );
  }
  if (Math.min(width, height) < min_side || Math.max(width, height) > max_side) {
    const rule = `each side must have ${min_side} to ${max_side}`;
    const how = 'Resize it: `ffmpeg -i in.mp4 -vf scale=-2:720 out.mp4`';
    refuse('video_dimensions', `The video has ${width} × ${height} pixels; ${rule}. ${how}.`);
  }
  return issues;
}

/** Reads the tracks of a movie (ISO/IEC 14496-12, 8.2 to 8.6); undefined for one without a video track. */
async function readIndex(
  source: ByteSource,
  { start, end }: Box,
): Promise<Pick<VideoFacts, 'duration_seconds' | 'width' | 'height' | 'fps'> | undefined> {
  try {
    const movie = Buffer.from(await source.read(start, end)).subarray(8);
    const tracks = childrenOf(movie, 'trak').flatMap((track) => readTrack(track) ?? []);
    const video = tracks.find(({ handler }) => handler === 'vide');
    if (!video || video.samples === 0 || !(video.seconds > 0) || video.width < 1 || video.height < 1) return undefined;
    const { width, height, samples, seconds } = video;
    const longest = Math.max(...tracks.filter(({ handler }) => media.has(handler)).map((track) => track.seconds));
    return { duration_seconds: rounded(longest), width, height, fps: rounded(samples / seconds) };
  } catch (error) {
    // A read past the end of a box.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const media: ReadonlySet<string> = new Set(['vide', 'soun']);
const rounded = (value: number): number => Math.round(value * 1000) / 1000;

function readTrack(track: Buffer) {
  const [header] = childrenOf(track, 'tkhd');
  const [mdia] = childrenOf(track, 'mdia');
  const [handler] = mdia ? childrenOf(mdia, 'hdlr') : [];
  const [mdhd] = mdia ? childrenOf(mdia, 'mdhd') : [];
  const [times] = mdia
    ? childrenOf(mdia, 'minf')
        .flatMap((minf) => childrenOf(minf, 'stbl'))
        .flatMap((stbl) => childrenOf(stbl, 'stts'))
    : [];
  if (!header || !handler || !mdhd || !times) return undefined;
  // Version 1 has 64 bits for times and durations.
  const timescale = mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12);
  let [samples, ticks] = [0, 0];
  for (let entry = 0; entry < times.readUInt32BE(4); entry += 1) {
    const count = times.readUInt32BE(8 + 8 * entry);
    samples += count;
    ticks += count * times.readUInt32BE(12 + 8 * entry);
  }
  // The matrix of the header turns the video by a quarter when its first number is 0.
  const [matrix, size] = header[0] === 1 ? [52, 88] : [40, 76];
  const sides = [header.readUInt32BE(size) / 65_536, header.readUInt32BE(size + 4) / 65_536].map(Math.round);
  const [width = 0, height = 0] = header.readInt32BE(matrix) === 0 ? sides.toReversed() : sides;
  return { handler: handler.toString('latin1', 8, 12), seconds: ticks / timescale, samples, width, height };
}

/** The contents of the child boxes of a type. @throws RangeError for a box of an impossible length */
function childrenOf(box: Buffer, wanted: string): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at + 8 <= box.length; ) {
    const length = box.readUInt32BE(at);
    if (length < 8 || at + length > box.length) throw new RangeError('A box has an impossible length.');
    if (box.toString('latin1', at + 4, at + 8) === wanted) found.push(box.subarray(at + 8, at + length));
    at += length;
  }
  return found;
}
