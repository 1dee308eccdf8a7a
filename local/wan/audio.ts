import { type Checked, invalidMedia } from './errors.ts';

export interface CheckedAudio {
  readonly format: 'wav' | 'mp3';
  readonly seconds: number;
}

export const maximumAudioBytes = 15 * 1024 * 1024;

/** Checks the file of `audio_url`: WAV or MP3 by its bytes, 3 to 30 s, at most 15 MB (reference, "Audio limits"). */
export function checkAudio(bytes: Uint8Array): Checked<CheckedAudio> {
  if (bytes.length > maximumAudioBytes) return invalidMedia('the audio is larger than 15 MB');
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wav = wavSeconds(file);
  const seconds = wav ?? mp3Seconds(file);
  if (seconds === undefined) return invalidMedia('the audio is not a WAV or MP3 file');
  if (seconds < 3 || seconds > 30) return invalidMedia(`the audio is ${seconds.toFixed(1)} s long, not 3 to 30 s`);
  return { value: { format: wav === undefined ? 'mp3' : 'wav', seconds } };
}

/** Duration of a RIFF WAVE file: the bytes of its data chunk divided by the bytes per second of its format chunk. */
function wavSeconds(file: Buffer): number | undefined {
  if (file.length < 44 || file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') {
    return undefined;
  }
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= file.length; ) {
    const name = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    if (name === 'fmt ' && at + 20 <= file.length) bytesPerSecond = file.readUInt32LE(at + 16);
    if (name === 'data') return bytesPerSecond > 0 ? Math.min(size, file.length - at - 8) / bytesPerSecond : undefined;
    at += 8 + size + (size % 2);
  }
  return undefined;
}

/** kbit/s by index, Layer III: MPEG 1, then MPEG 2 and 2.5. */
const bitRates1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const bitRates2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const sampleRates = [44100, 48000, 32000];

/** Duration of an MP3: the sum of its frames after an optional ID3 tag. A file has at least two frames. */
function mp3Seconds(file: Buffer): number | undefined {
  let at = file.toString('latin1', 0, 3) === 'ID3' && file.length >= 10 ? 10 + syncsafe(file, 6) : 0;
  let frames = 0;
  let seconds = 0;
  for (let frame = mp3Frame(file, at); frame; frame = mp3Frame(file, at)) {
    at += frame.bytes;
    seconds += frame.seconds;
    frames += 1;
  }
  return frames >= 2 ? seconds : undefined;
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
