import { beforeAll, describe, expect, test } from 'vitest';
import { inspectAudio } from '../../../functions/media/audio.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { ffmpegFile, tone, wav } from './support.ts';

let mp3: Buffer;
let ogg: Buffer;
beforeAll(async () => {
  [mp3, ogg] = await Promise.all([ffmpegFile('a.mp3', ...tone(4), '-b:a', '64k'), ffmpegFile('a.flac', ...tone(4))]);
});

const code = async (bytes: Uint8Array, size = bytes.byteLength) => {
  const inspected = await inspectAudio(bytes, size);
  return inspected.ok ? 'ok' : inspected.issues.map((issue) => issue.code).join();
};

describe('inspectAudio', () => {
  test('WAV and MP3 are known by their bytes, with their length', async () => {
    expect(await inspectAudio(wav(5), wav(5).length)).toEqual({
      ok: true,
      format: 'wav',
      content_type: 'audio/wav',
      duration_seconds: 5,
    });
    const inspected = await inspectAudio(mp3, mp3.length);
    expect(inspected).toMatchObject({ ok: true, format: 'mp3', content_type: 'audio/mpeg' });
    expect(inspected.ok && inspected.duration_seconds).toBeCloseTo(4, 0);
  });

  test.each([
    [2.9, 'audio_duration'],
    [3, 'ok'],
    [30, 'ok'],
    [31, 'audio_duration'],
  ])('%d s: %s', async (seconds, expected) => {
    expect(await code(wav(seconds))).toBe(expected);
  });

  test('what Wan would refuse is refused by name', async () => {
    expect(await code(Buffer.alloc(0))).toBe('audio_empty');
    expect(await code(ogg)).toBe('unsupported_audio_type');
    expect(await code(Buffer.from('<html>not a sound</html>'))).toBe('unsupported_audio_type');
    expect(await code(wav(5).subarray(0, 20_000))).toBe('audio_truncated');
    expect(await code(wav(5), wav(5).length + 1)).toBe('audio_truncated');
    expect(await code(wav(5), 15 * 1024 * 1024 + 1)).toBe('audio_too_large');
  });

  test('damaged files never throw', async () => {
    const random = seededRandom(3);
    for (let round = 0; round < 200; round += 1) {
      const bytes = Buffer.from(round % 2 ? mp3 : wav(3));
      for (let change = 0; change < 20; change += 1) bytes[Math.floor(random() * 200)] = Math.floor(random() * 256);
      expect(await inspectAudio(bytes, bytes.length)).toHaveProperty('ok');
    }
  });
});
