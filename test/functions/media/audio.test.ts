import { beforeAll, describe, expect, test } from 'vitest';
import { inspectAudio } from '../../../functions/media/audio.ts';
import { id3, mp3Of, wavChunk, wavOf } from '../../support/audio-variants.ts';
import { jpeg } from '../../support/image-variants.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { ffmpegFile, tone } from './support.ts';

const seconds = 4;

/** Codes of the issues, or of the warnings with a mark. */
function codes(bytes: Uint8Array, size = bytes.byteLength): string[] {
  const inspected = inspectAudio(bytes, size);
  return inspected.ok ? inspected.warnings.map(({ code }) => `! ${code}`) : inspected.issues.map(({ code }) => code);
}

function secondsOf(bytes: Uint8Array): number | undefined {
  const inspected = inspectAudio(bytes, bytes.byteLength);
  return inspected.ok ? inspected.facts.duration_seconds : undefined;
}

describe('inspectAudio accepts', () => {
  const fact = wavChunk('fact', Buffer.from(new Uint32Array([seconds * 8000]).buffer));
  const unpadded = wavChunk('LIST', Buffer.from('INFOISFT\x05\0\0\0Lavf5', 'latin1'), { pad: false });
  test.each<[string, Buffer]>([
    ['that was streamed, with sizes of all ones', wavOf({ seconds, riffSize: 0xffffffff, dataSize: 0xffffffff })],
    ['that SoX streamed', wavOf({ seconds, riffSize: 0x7ffff024, dataSize: 0x7ffff000 })],
    ['that declares no sizes', wavOf({ seconds, riffSize: 0, dataSize: 0 })],
    ['whose header declares too much', wavOf({ seconds, riffSize: 900_000 })],
    ['whose header declares too little', wavOf({ seconds, riffSize: 40 })],
    ['of more than 4 GB in form', wavOf({ seconds, form: 'RF64' })],
    ['of the broadcast form', wavOf({ seconds, form: 'BW64' })],
    [
      'with other chunks',
      wavOf({ seconds, first: [wavChunk('JUNK', Buffer.alloc(28))], after: wavChunk('id3 ', Buffer.alloc(31)) }),
    ],
    ['with a pad byte', wavOf({ seconds, before: [wavChunk('LIST', Buffer.alloc(13, 65))] })],
    ['without a pad byte', wavOf({ seconds, before: [unpadded] })],
    ['without the last pad byte', wavOf({ seconds, after: unpadded })],
    ['without a byte rate', wavOf({ seconds, bytesPerSecond: 0 })],
    ['of floating-point samples', wavOf({ seconds, tag: 3 })],
    ['of an extensible format', wavOf({ seconds, tag: 0xfffe })],
    ['of compressed samples', wavOf({ seconds, tag: 0x11 })],
    ['of compressed samples, with a wrong rate', wavOf({ seconds, tag: 0x11, bytesPerSecond: 9000, before: [fact] })],
    ['of MP3 samples, without a rate', wavOf({ seconds, tag: 0x55, bytesPerSecond: 0, before: [fact] })],
  ])('a WAV %s', (_kind, bytes) => {
    expect(inspectAudio(bytes, bytes.length)).toEqual({
      ok: true,
      facts: { content_type: 'audio/wav', bytes: bytes.length, duration_seconds: 4 },
      warnings: [],
    });
  });

  const mono = { header: [0xff, 0xf3, 0x40, 0xc4] as const, frameBytes: 104, frameSeconds: 576 / 22_050 };
  test.each<[string, Buffer]>([
    ['alone', mp3Of({ seconds })],
    ['of MPEG 2', mp3Of({ seconds, ...mono })],
    ['of MPEG 2.5', mp3Of({ seconds, header: [0xff, 0xe3, 0x48, 0xc4], frameBytes: 288, frameSeconds: 576 / 8000 })],
    ['after a tag', mp3Of({ seconds, before: [id3(300)] })],
    ['after several tags', mp3Of({ seconds, before: [id3(300), id3(2000), id3(0)] })],
    ['after a tag with a footer', mp3Of({ seconds, before: [id3(300, { footer: true })] })],
    ['after a tag with an image', mp3Of({ seconds, before: [Buffer.concat([id3(0)])] })],
    ['after a tag and padding', mp3Of({ seconds, before: [id3(300), Buffer.alloc(1000)] })],
    ['after zeros', mp3Of({ seconds, before: [Buffer.alloc(500)] })],
    ['after other bytes', mp3Of({ seconds, before: [Buffer.from('\x05 some bytes \xff\xfb\xff')] })],
    ['with bytes between frames', mp3Of({ seconds, within: Buffer.alloc(999, 0x55) })],
    ['of two joined files', mp3Of({ seconds, within: id3(500) })],
    ['before a tag of the first version', mp3Of({ seconds, after: Buffer.from(`TAG${' '.repeat(125)}`) })],
    ['that is cut off', mp3Of({ seconds, after: Buffer.from([0xff, 0xfb, 0x90, 0xc4, 1, 2]) })],
  ])('an MP3 %s', (_kind, bytes) => {
    expect(codes(bytes)).toEqual([]);
    expect(secondsOf(bytes)).toBeCloseTo(seconds, 1);
    expect(inspectAudio(bytes, bytes.length)).toMatchObject({ facts: { content_type: 'audio/mpeg' } });
  });

  test.each([
    ['-b:a', '64k'],
    ['-q:a', '9'],
    ['-ar', '8000'],
    ['-ac', '2', '-id3v2_version', '4', '-metadata', 'title=a'],
  ])('what ffmpeg encodes with %s %s', async (...args) => {
    const bytes = await ffmpegFile('a.mp3', ...tone(4), ...args);
    expect(codes(bytes)).toEqual([]);
    expect(secondsOf(bytes)).toBeCloseTo(4, 0);
  });

  test('30 s at 8 kHz, to which ffmpeg adds 0.24 s', async () => {
    expect(codes(await ffmpegFile('a.mp3', ...tone(30), '-ar', '8000'))).toEqual([]);
  });

  test('a WAV that holds less than it declares with a warning', () => {
    expect(codes(wavOf({ seconds, dataSize: 90_000 }))).toEqual(['! audio_truncated']);
    expect(codes(wavOf({ seconds: 5 }).subarray(0, 60_000))).toEqual(['! audio_truncated']);
  });
});

describe('inspectAudio refuses', () => {
  test.each([
    [2.9, ['audio_duration']],
    [3, []],
    [30, []],
    [30.1, ['audio_duration']],
  ])('a WAV by its duration: %d s, %j', (duration, expected) => {
    expect(codes(wavOf({ seconds: duration }))).toEqual(expected);
  });

  test.each([
    [2.9, ['audio_duration']],
    [3.01, []],
    // The frames of 30 s, with what encoders add.
    [30.1, []],
    [31, ['audio_duration']],
  ])('an MP3 by its duration: %d s, %j', (duration, expected) => {
    expect(codes(mp3Of({ seconds: duration }))).toEqual(expected);
  });

  test('each duration with a command', () => {
    const messageOf = (duration: number) => JSON.stringify(inspectAudio(wavOf({ seconds: duration }), 1000));
    expect(messageOf(31)).toContain('31 s; Wan accepts 3 to 30 s. Cut it: `ffmpeg -i in -t 30 out.mp3`.');
    expect(messageOf(2)).toContain('Add silence: `ffmpeg -i in -af apad=whole_dur=3 out.mp3`.');
  });

  test.each<[string, Uint8Array, code: string]>([
    ['an empty file', Buffer.alloc(0), 'audio_empty'],
    ['a WAV without a format', wavOf({ seconds }).subarray(0, 30), 'audio_unreadable'],
    ['a WAV without data', wavOf({ seconds }).subarray(0, 40), 'audio_unreadable'],
    ['a WAV of no samples', wavOf({ seconds: 0 }), 'audio_duration'],
    ['a tag without audio', id3(5000), 'audio_unreadable'],
    ['an image', jpeg({ width: 400, height: 400 }), 'unsupported_audio_type'],
    ['one frame of an MP3', mp3Of({ seconds: 0.026 }), 'audio_unreadable'],
    ['MP2, which is not MP3', mp3Of({ seconds, header: [0xff, 0xfd, 0x80, 0xc4] }), 'unsupported_audio_type'],
  ])('%s', (_kind, bytes, code) => {
    expect(codes(bytes)).toEqual([code]);
  });

  test('more than 15 MB, by the length that storage reports', () => {
    expect(codes(wavOf({ seconds }), 15 * 1024 * 1024 + 1)).toEqual(['audio_too_large']);
    expect(codes(wavOf({ seconds }), 15 * 1024 * 1024)).toEqual([]);
  });
});

describe('inspectAudio reads', () => {
  let encoded: Buffer;
  beforeAll(async () => {
    encoded = await ffmpegFile('a.mp3', ...tone(4), '-b:a', '64k');
  });

  test('damaged files without an exception', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 300; round += 1) {
      const bytes = Buffer.from(round % 2 ? encoded : wavOf({ seconds: 3 }));
      for (let change = 0; change < 20; change += 1) bytes[Math.floor(random() * 200)] = Math.floor(random() * 256);
      expect(inspectAudio(bytes, bytes.length)).toHaveProperty('ok');
    }
  });

  test('15 MB of anything in no time', () => {
    const tags = Buffer.concat(Array<Buffer>(100_000).fill(id3(0)));
    for (const bytes of [Buffer.alloc(15_000_000, 0xff), Buffer.alloc(15_000_000), tags]) {
      const started = performance.now();
      expect(codes(bytes)).toEqual([bytes === tags ? 'audio_unreadable' : 'unsupported_audio_type']);
      expect(performance.now() - started).toBeLessThan(15_000);
    }
  });
});
