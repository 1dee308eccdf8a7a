import { type AudioType, fileKind, mediaTypeOf, wrongKindMessage } from './file-kind.ts';
import type { InspectedMedia } from './image.ts';

export type AudioFacts = { content_type: AudioType; bytes: number; duration_seconds: number };

/** Seconds and bytes of an audio file; a model's row in the catalogue has them as `audio_input`. */
export type AudioLimits = {
  readonly min_seconds: number;
  readonly max_seconds: number;
  /** Of all audio files of a request together. */
  readonly max_total_seconds?: number;
  readonly max_bytes: number;
};

/** The limits of the reference ("audio_url"): 15 MB, read as mebibytes, and 3 to 30 s. */
const referenceAudioLimits: AudioLimits = { max_bytes: 15 * 1024 * 1024, min_seconds: 3, max_seconds: 30 };

/** Encoders add to an MP3 a frame of data, a delay and a padded last frame: at 8 kHz about 0.25 s. */
const padding = 0.3;

const refused = (code: string, message: string) => ({ ok: false as const, issues: [{ code, message }] });

/**
 * Checks audio as Wan does: WAV or MP3 by its bytes, its duration and bytes. Never throws.
 *
 * @param bytes - the whole file, unless it is too large: the duration of an MP3 is the sum of its frames
 * @param size - the file's length in bytes
 */
export function inspectAudio(
  bytes: Uint8Array,
  size: number,
  { max_bytes, min_seconds, max_seconds }: AudioLimits = referenceAudioLimits,
): InspectedMedia<AudioFacts> {
  if (size === 0) return refused('audio_empty', 'The audio is an empty file. Send it again.');
  if (size > max_bytes) {
    const how = 'Compress it: `ffmpeg -i in -b:a 128k out.mp3`.';
    return refused('audio_too_large', `The audio has ${size} bytes; Wan accepts at most ${max_bytes}. ${how}`);
  }
  const audio = readAudio(bytes);
  if (!audio) {
    return mediaTypeOf(bytes)?.startsWith('audio/')
      ? refused('audio_unreadable', 'The file begins like WAV or MP3 but has no audio. Save it again.')
      : refused('unsupported_audio_type', wrongKindMessage(bytes, 'audio'));
  }
  const { content_type, truncated } = audio;
  const duration_seconds = Math.round(audio.seconds * 1000) / 1000;
  const isTooLong = duration_seconds > max_seconds + (content_type === 'audio/mpeg' ? padding : 0);
  if (isTooLong || duration_seconds < min_seconds) {
    const rule = `Wan accepts ${min_seconds} to ${max_seconds} s`;
    const how = isTooLong
      ? `Cut it: \`ffmpeg -i in -t ${max_seconds}`
      : `Add silence: \`ffmpeg -i in -af apad=whole_dur=${min_seconds}`;
    return refused('audio_duration', `The audio lasts ${duration_seconds} s; ${rule}. ${how} out.mp3\`.`);
  }
  const message = `The audio declares more than the ${duration_seconds} s that it holds: it may be cut off.`;
  const warnings = truncated ? [{ code: 'audio_truncated', message }] : [];
  return { ok: true, facts: { content_type, bytes: size, duration_seconds }, warnings };
}

type AudioHeader = { content_type: AudioType; seconds: number; truncated?: boolean };

/** Reads the type and the duration of a WAV or an MP3; undefined for any other file. */
export function readAudio(bytes: Uint8Array): AudioHeader | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = fileKind(file);
  if (kind === 'audio/wav') return readWav(file);
  // An MP3 may begin with bytes that are no other kind of file.
  return kind === undefined || kind === 'audio/mpeg' || kind === 'txt' ? readMp3(file) : undefined;
}

/** RIFF, RF64 or BW64: the sizes of its chunks count only as far as the file goes. */
function readWav(file: Buffer): AudioHeader | undefined {
  let [sampleRate, bytesPerSecond, samples] = [0, 0, 0];
  for (let at = 12; at + 8 <= file.length; ) {
    const [name, size, start] = [file.toString('latin1', at, at + 4), file.readUInt32LE(at + 4), at + 8];
    const rest = file.length - start;
    if (name === 'fmt ' && rest >= 16) {
      const isPcm = [1, 3, 0xfffe].includes(file.readUInt16LE(start));
      sampleRate = file.readUInt32LE(start + 4);
      const ofBlocks = isPcm ? sampleRate * file.readUInt16LE(start + 12) : 0;
      bytesPerSecond = ofBlocks || file.readUInt32LE(start + 8);
      samples = isPcm ? -1 : 0;
    }
    // The declared rate of compressed audio is often wrong; of a stream, this number is 0 or a maximum.
    if (name === 'fact' && size >= 4 && rest >= 4 && samples === 0) samples = file.readUInt32LE(start);
    if (name === 'data') {
      if (samples > 0 && samples < 0x7fff0000 && sampleRate > 0 && size <= rest) {
        return { content_type: 'audio/wav', seconds: samples / sampleRate };
      }
      if (bytesPerSecond === 0) return undefined;
      // Programs that stream do not know the size: they leave 0 or a value near 2^31 or 2^32.
      const truncated = size > rest && size < 0x7fff0000;
      return { content_type: 'audio/wav', seconds: Math.min(size || rest, rest) / bytesPerSecond, truncated };
    }
    // Some programs leave out the byte that pads an odd chunk: the next name begins right there.
    const isPadded = size % 2 === 1 && !/^[\x20-\x7e]{4}/.test(file.toString('latin1', start + size, start + size + 4));
    at = start + size + (isPadded ? 1 : 0);
  }
  return undefined;
}

/** kbit/s by index, for Layer III of MPEG 1, and of MPEG 2 and 2.5. */
const bitRates = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const lowBitRates = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const sampleRates = [44_100, 48_000, 32_000];

/** Adds up the frames, over tags and other bytes before, between and after them. Two frames in a row make an MP3. */
function readMp3(file: Buffer): AudioHeader | undefined {
  let [at, seconds, first] = [0, 0, 0];
  while (file.toString('latin1', at, at + 3) === 'ID3' && at + 10 <= file.length) {
    // Four bytes of seven bits each.
    at += 10 + [6, 7, 8, 9].reduce((sum, index) => sum * 128 + (file[at + index]! & 127), 0);
  }
  while (at < file.length) {
    const frame = readFrame(file, at);
    // Version, layer and sample rate are the same in all frames.
    const isNext = frame && (first ? frame.kind === first : readFrame(file, at + frame.bytes)?.kind === frame.kind);
    if (isNext) [first, seconds] = [frame.kind, seconds + frame.seconds];
    at += isNext ? frame.bytes : 1;
  }
  return first ? { content_type: 'audio/mpeg', seconds } : undefined;
}

function readFrame(file: Buffer, at: number): { kind: number; bytes: number; seconds: number } | undefined {
  const header = at + 4 > file.length ? 0 : file.readUInt32BE(at);
  // Eleven bits to synchronize, two of the version, then Layer III.
  if ((header & 0xffe60000) >>> 0 !== 0xffe20000) return undefined;
  const version = (header >>> 19) & 3;
  const bitRate = (version === 3 ? bitRates : lowBitRates)[(header >>> 12) & 15];
  const fullRate = sampleRates[(header >>> 10) & 3];
  if (version === 1 || !bitRate || !fullRate) return undefined;
  const sampleRate = fullRate / (version === 3 ? 1 : version === 2 ? 2 : 4);
  const samples = version === 3 ? 1152 : 576;
  const bytes = Math.floor((samples * bitRate * 125) / sampleRate) + ((header >>> 9) & 1);
  return { kind: (header & 0xfffe0c00) >>> 0, bytes, seconds: samples / sampleRate };
}
