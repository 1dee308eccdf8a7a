import { type Checked, invalidMedia } from './errors.ts';
import { type LengthLimits, maximumAudioBytes } from './models.ts';

export interface CheckedAudio {
  readonly format: 'wav' | 'mp3';
  readonly seconds: number;
}

/** Encoders fill the last frame of an MP3 and add a delay, so that 30 s of audio have a little more in frames. */
const encoderPadding = 0.2;

/** Checks an audio file: WAV or MP3 by its bytes, its length, at most 15 MB (reference, "Audio limits"). */
export function checkAudio(bytes: Uint8Array, limits: LengthLimits): Checked<CheckedAudio> {
  const { minimumSeconds, maximumSeconds } = limits;
  if (bytes.length > maximumAudioBytes) return invalidMedia('the audio is larger than 15 MB');
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wav = wavSeconds(file);
  const seconds = wav ?? mp3Seconds(file);
  if (seconds === undefined) return invalidMedia('the audio is not a WAV or MP3 file');
  const longest = maximumSeconds + (wav === undefined ? encoderPadding : 0);
  if (seconds < minimumSeconds || seconds > longest) {
    return invalidMedia(`the audio is ${seconds.toFixed(1)} s long, not ${minimumSeconds} to ${maximumSeconds} s`);
  }
  return { value: { format: wav === undefined ? 'mp3' : 'wav', seconds } };
}

/**
 * The length of a WAVE file (RIFF, or RF64 and BW64 for large ones): bytes of its data chunk by bytes per second of its format
 * chunk. A data chunk without a size, or with one past the end, reaches to the end of the file, as when a program streamed it.
 */
function wavSeconds(file: Buffer): number | undefined {
  if (!['RIFF', 'RF64', 'BW64'].includes(file.toString('latin1', 0, 4))) return undefined;
  if (file.toString('latin1', 8, 12) !== 'WAVE') return undefined;
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= file.length; ) {
    const name = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const content = at + 8;
    if (name === 'fmt ' && content + 16 <= file.length) {
      bytesPerSecond =
        file.readUInt32LE(content + 8) || file.readUInt32LE(content + 4) * file.readUInt16LE(content + 12);
    }
    if (name === 'data') {
      const held = file.length - content;
      return bytesPerSecond > 0 ? (size === 0 ? held : Math.min(size, held)) / bytesPerSecond : undefined;
    }
    at = content + size;
    // The byte that fills up an odd chunk is 0; where it is missing, the next name begins.
    if (size % 2 === 1 && file[at] === 0) at += 1;
  }
  return undefined;
}

/** kbit/s by index, for Layer III of MPEG 1, and of MPEG 2 and 2.5. */
const bitRates1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const bitRates2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const sampleRates = [44100, 48000, 32000];

/** The length of an MP3: its frames counted, wherever they are between tags and other bytes. The first needs a second one behind it. */
function mp3Seconds(file: Buffer): number | undefined {
  let at = skipTags(file);
  let seconds = 0;
  while (at !== -1) {
    const frame = mp3Frame(file, at);
    if (frame && (seconds > 0 || mp3Frame(file, at + frame.bytes))) {
      at += frame.bytes;
      seconds += frame.seconds;
    } else {
      at = file.indexOf(0xff, at + 1);
    }
  }
  return seconds > 0 ? seconds : undefined;
}

/** Past all ID3v2 tags at the start, and the zeros that may fill up each. */
function skipTags(file: Buffer): number {
  let at = 0;
  while (file.toString('latin1', at, at + 3) === 'ID3' && at + 10 <= file.length) {
    at += 10 + syncsafe(file, at + 6);
    while (file[at] === 0) at += 1;
  }
  return at;
}

function mp3Frame(file: Buffer, at: number): { bytes: number; seconds: number } | undefined {
  if (at + 4 > file.length) return undefined;
  const header = file.readUInt32BE(at);
  const version = (header >>> 19) & 3;
  const isLayer3 = ((header >>> 17) & 3) === 1;
  if (header >>> 21 !== 0x7ff || version === 1 || !isLayer3) return undefined;
  const isMpeg1 = version === 3;
  const bitRate = (isMpeg1 ? bitRates1 : bitRates2)[(header >>> 12) & 15];
  const fullSampleRate = sampleRates[(header >>> 10) & 3];
  if (!bitRate || !fullSampleRate) return undefined;
  const sampleRate = fullSampleRate / (isMpeg1 ? 1 : version === 2 ? 2 : 4);
  const samples = isMpeg1 ? 1152 : 576;
  const padding = (header >>> 9) & 1;
  return { bytes: Math.floor((samples * bitRate * 125) / sampleRate) + padding, seconds: samples / sampleRate };
}

/** An ID3v2 size: four bytes of seven bits. */
function syncsafe(file: Buffer, at: number): number {
  return [0, 1, 2, 3].reduce((size, index) => size * 128 + (file.readUInt8(at + index) & 127), 0);
}
