import { BufferSource, Input, MP3, WAVE } from 'mediabunny';
import type { MediaIssue } from './data-url.ts';

export type InspectedAudio =
  | { ok: true; format: 'wav' | 'mp3'; content_type: 'audio/wav' | 'audio/mpeg'; duration_seconds: number }
  | { ok: false; issues: MediaIssue[] };

/** Limits of the reference ("audio_url"): 15 MB, read as mebibytes, and 3 to 30 s. */
export const audioLimits = { max_bytes: 15 * 1024 * 1024, min_seconds: 3, max_seconds: 30 } as const;

/** Encoders pad the last frame of an MP3: up to 1,152 samples at 8 kHz and some delay. */
const padding = 0.2;

/**
 * Looks at a sound as Wan will: WAV or MP3 by its bytes, its length and size,
 * and whether all of it is there. Never throws.
 *
 * @param bytes - the whole file: the length of an MP3 lies in all of its frames
 * @param size - the file's length in bytes, by which a part of a file is told from the whole
 */
export async function inspectAudio(bytes: Uint8Array, size: number): Promise<InspectedAudio> {
  if (size === 0) return refuse('audio_empty', 'The sound is an empty file. Upload it again.');
  if (size > audioLimits.max_bytes) {
    return refuse(
      'audio_too_large',
      `The sound has ${size} bytes; at most ${audioLimits.max_bytes} are taken. Shorten or compress it.`,
    );
  }
  if (bytes.byteLength < size || isWavTruncated(bytes)) {
    return refuse('audio_truncated', 'The sound is cut off. Save or upload it again.');
  }
  const found = await durationOf(bytes);
  if (!found) return refuse('unsupported_audio_type', 'The file is no WAV or MP3 sound. Convert it to one of these.');
  const { format, duration_seconds } = found;
  if (duration_seconds < audioLimits.min_seconds || duration_seconds > audioLimits.max_seconds + padding) {
    const { min_seconds, max_seconds } = audioLimits;
    return refuse(
      'audio_duration',
      `The sound lasts ${duration_seconds} s; it must last ${min_seconds} to ${max_seconds} s.`,
    );
  }
  return { ok: true, format, content_type: format === 'wav' ? 'audio/wav' : 'audio/mpeg', duration_seconds };
}

async function durationOf(bytes: Uint8Array): Promise<{ format: 'wav' | 'mp3'; duration_seconds: number } | undefined> {
  const input = new Input({ formats: [WAVE, MP3], source: new BufferSource(bytes) });
  try {
    const format = (await input.getFormat()) === WAVE ? 'wav' : 'mp3';
    const track = await input.getPrimaryAudioTrack();
    if (!track) return undefined;
    const seconds = await track.computeDuration();
    return Number.isFinite(seconds) ? { format, duration_seconds: Math.round(seconds * 1000) / 1000 } : undefined;
  } catch {
    return undefined;
  } finally {
    input.dispose();
  }
}

/** A WAV says its length at its start; programs that stream one leave 0 or all ones there. */
function isWavTruncated(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < 12 || file.toString('latin1', 0, 4) !== 'RIFF') return false;
  const declared = file.readUInt32LE(4);
  return declared !== 0xffffffff && declared + 8 > file.length;
}

function refuse(code: string, message: string): InspectedAudio {
  return { ok: false, issues: [{ code, message }] };
}
