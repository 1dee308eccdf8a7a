import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ByteSource } from '../../../functions/media/byte-source.ts';
import { inspectMp4 } from '../../../functions/media/mp4.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { c2paBox, ffmpegFile, h264, movingImage, tone } from './support.ts';

let indexLast: Buffer;
let indexFirst: Buffer;
let silent: Buffer;
let fragmented: Buffer;
let mpeg4: Buffer;
let audioOnly: Buffer;
let matroska: Buffer;
beforeAll(async () => {
  const sources = [...movingImage('320x176', 2), ...tone(2)];
  [indexLast, indexFirst, silent, fragmented, mpeg4, audioOnly, matroska] = await Promise.all([
    ffmpegFile('a.mp4', ...sources, ...h264, '-c:a', 'aac', '-b:v', '3M'),
    ffmpegFile('b.mp4', ...sources, ...h264, '-c:a', 'aac', '-movflags', '+faststart'),
    ffmpegFile('c.mp4', ...movingImage('176x320', 3), ...h264),
    ffmpegFile('d.mp4', ...movingImage('176x320', 1), ...h264, '-movflags', 'frag_keyframe+empty_moov'),
    ffmpegFile('e.mp4', ...movingImage('176x320', 1), '-c:v', 'mpeg4'),
    ffmpegFile('f.mp4', ...tone(1), '-c:a', 'aac'),
    ffmpegFile('g.mkv', ...movingImage('176x320', 1), ...h264),
  ]);
});

/** A file in memory. */
const bytesSource = (bytes: Uint8Array): ByteSource => ({
  size: bytes.byteLength,
  read: async (start, end) => bytes.subarray(start, end),
});

const inspect = (bytes: Uint8Array) => inspectMp4(bytesSource(bytes));

afterEach(() => vi.restoreAllMocks());

describe('inspectMp4', () => {
  test.each([
    ['with its index last', () => indexLast, 320, 176, 2, true],
    ['with its index first', () => indexFirst, 320, 176, 2, true],
    ['without audio', () => silent, 176, 320, 3, false],
    ['in fragments', () => fragmented, 176, 320, 1, false],
  ] as const)('describes an MP4 %s', async (_, bytes, width, height, seconds, has_audio) => {
    const inspected = await inspect(bytes());
    expect(inspected).toMatchObject({ ok: true, width, height, fps: 30, duration_seconds: seconds, has_audio });
    const codecs = inspected.ok ? inspected.codecs : [];
    expect(codecs[0]).toMatch(/^avc1\.[0-9a-f]{6}$/);
    expect(codecs.slice(1)).toEqual(has_audio ? ['mp4a.40.2'] : []);
  });

  test('finds a C2PA manifest, wherever it is, and no other uuid box', async () => {
    const other = Buffer.from(c2paBox);
    other[8] = 0;
    const long = Buffer.concat([Buffer.alloc(16), c2paBox.subarray(8)]);
    long.writeUInt32BE(1, 0);
    long.write('uuid', 4, 'latin1');
    long.writeBigUInt64BE(BigInt(long.length), 8);
    const media = indexLast.indexOf('mdat', 0, 'latin1') - 4;
    const before = Buffer.concat([indexLast.subarray(0, media), c2paBox, indexLast.subarray(media)]);
    expect(await inspect(before)).toMatchObject({ c2pa: true });
    expect(await inspect(Buffer.concat([silent, c2paBox]))).toMatchObject({ ok: true, c2pa: true, aigc_label: false });
    expect(await inspect(Buffer.concat([silent, long]))).toMatchObject({ ok: true, c2pa: true });
    expect(await inspect(Buffer.concat([silent, other]))).toMatchObject({ ok: true, c2pa: false });
    expect(await inspect(silent)).toMatchObject({ ok: true, c2pa: false, aigc_label: false });
  });

  test('finds the label AIGC in the metadata, as ffmpeg writes it, and no other key', async () => {
    const value = 'AIGC={"Label":"1","ContentProducer":"example","ProduceID":"1"}';
    const tags = ['-movflags', 'use_metadata_tags', '-metadata'];
    const [labeled, titled, itunes] = await Promise.all([
      ffmpegFile('label.mp4', ...movingImage('176x320', 1), ...h264, ...tags, value),
      ffmpegFile('other.mp4', ...movingImage('176x320', 1), ...h264, ...tags, 'note=AIGC'),
      ffmpegFile('title.mp4', ...movingImage('176x320', 1), ...h264, '-metadata', 'title=AIGC'),
    ]);
    expect(await inspect(labeled)).toMatchObject({ ok: true, aigc_label: true, c2pa: false });
    expect(await inspect(titled)).toMatchObject({ ok: true, aigc_label: false });
    expect(await inspect(itunes)).toMatchObject({ ok: true, aigc_label: false });
  });

  test('detects a truncated file, wherever the cut, even with a complete index', async () => {
    for (const whole of [indexFirst, indexLast, silent]) {
      for (const share of [0.02, 0.3, 0.5, 0.9, 0.999]) {
        const cut = whole.subarray(0, Math.floor(whole.length * share));
        expect(await inspect(cut)).toMatchObject({ ok: false, reason: 'truncated' });
      }
      expect(await inspect(whole.subarray(0, -1))).toMatchObject({ ok: false, reason: 'truncated' });
    }
  });

  test('detects a cut between two boxes', async () => {
    const index = indexLast.indexOf('moov', 0, 'latin1') - 4;
    expect(await inspect(indexLast.subarray(0, index))).toMatchObject({ ok: false, reason: 'truncated' });
  });

  test('refuses an implausible count of samples quickly', async () => {
    for (const [table, offset] of [
      ['stts', 12],
      ['stts', 8],
      ['stsz', 12],
      ['stsc', 16],
    ] as const) {
      const bytes = Buffer.from(silent);
      bytes.writeUInt32BE(0xf0000000, bytes.indexOf(table, 0, 'latin1') + offset);
      expect(await inspect(bytes)).toMatchObject({ ok: false, reason: 'unreadable' });
    }
  });

  test('detects bytes after the end', async () => {
    expect((await inspect(Buffer.concat([silent, Buffer.from('garbage!!')]))).ok).toBe(false);
  });

  test.each([
    ['MPEG-4 Part 2', () => mpeg4, 'no_h264_video'],
    ['audio alone', () => audioOnly, 'no_h264_video'],
    ['Matroska', () => matroska, 'not_mp4'],
    [
      'an error document',
      () => Buffer.from('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
      'not_mp4',
    ],
    ['an empty file', () => Buffer.alloc(0), 'not_mp4'],
    ['five bytes', () => Buffer.alloc(5), 'not_mp4'],
    ['zeros', () => Buffer.alloc(5000), 'not_mp4'],
  ] as const)('%s is refused by name', async (_, bytes, reason) => {
    expect(await inspect(bytes())).toMatchObject({ ok: false, reason });
  });

  test('reads a few ranges instead of the file', async () => {
    const padded = Buffer.concat([indexFirst, freeBox(20_000_000)]);
    for (const [bytes, most] of [
      [padded, 3],
      [Buffer.concat([indexLast.subarray(0, 32), freeBox(20_000_000), indexLast.subarray(32)]), 6],
    ] as const) {
      const reads: number[] = [];
      const source = bytesSource(bytes);
      await inspectMp4({
        size: source.size,
        read: (start, end) => {
          reads.push(end - start);
          return source.read(start, end);
        },
      });
      expect(reads.length).toBeLessThanOrEqual(most);
      expect(reads.reduce((sum, length) => sum + length, 0)).toBeLessThan(2_000_000);
    }
  });

  test('passes on the error of a failed read', async () => {
    const read = async () => {
      throw new Error('storage is away');
    };
    await expect(inspectMp4({ size: 1000, read })).rejects.toThrow('storage is away');
    const large = Buffer.concat([indexLast.subarray(0, 32), freeBox(2_000_000), indexLast.subarray(32)]);
    let reads = 0;
    const later = async (start: number, end: number) => {
      reads += 1;
      if (reads > 1) throw new Error('storage went away');
      return large.subarray(start, end);
    };
    await expect(inspectMp4({ size: large.length, read: later })).rejects.toThrow('storage went away');
  });

  test('neither throws nor hangs for damaged files', { timeout: 10_000 }, async () => {
    vi.spyOn(console, 'warn').mockReturnValue();
    vi.spyOn(console, 'error').mockReturnValue();
    const random = seededRandom(2);
    for (let round = 0; round < 400; round += 1) {
      const bytes = Buffer.from(silent);
      const index = bytes.indexOf('moov', 0, 'latin1');
      for (let change = 0; change < 1 + random() * 6; change += 1) {
        bytes[index + Math.floor(random() * (bytes.length - index))] = Math.floor(random() * 256);
      }
      expect(await inspect(bytes)).toHaveProperty('ok');
    }
  });
});

function freeBox(length: number): Buffer {
  const box = Buffer.alloc(length);
  box.writeUInt32BE(length, 0);
  box.write('free', 4, 'latin1');
  return box;
}
