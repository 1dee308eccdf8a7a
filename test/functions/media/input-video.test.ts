import { describe, expect, test } from 'vitest';
import { inspectInputVideo, type VideoLimits } from '../../../functions/media/input-video.ts';
import { ffmpegFile } from './support.ts';

const limits: VideoLimits = {
  ...{ min_seconds: 1, max_seconds: 15, max_bytes: 100 * 1024 * 1024, min_fps: 16, min_side: 240, max_side: 4096 },
};
const make = (name: string, { size = '320x240', seconds = 2, fps = 24 } = {}, ...args: string[]) =>
  ffmpegFile(name, '-f', 'lavfi', '-i', `testsrc=size=${size}:rate=${fps}:duration=${seconds}`, ...args);

async function inspect(file: Uint8Array, within = limits) {
  let read = 0;
  const source = {
    size: file.byteLength,
    read: async (start: number, end: number) => {
      read += end - start;
      return file.subarray(start, end);
    },
  };
  return { ...(await inspectInputVideo(source, within)), read };
}
const codes = async (file: Uint8Array, within = limits) => {
  const inspected = await inspect(file, within);
  return inspected.ok ? [] : inspected.issues.map(({ code }) => code);
};

describe('a video as an input', () => {
  test.each([
    ['in.mp4', 'video/mp4', []],
    ['in.mp4', 'video/mp4', ['-movflags', '+faststart']],
    ['in.mov', 'video/quicktime', []],
  ])('is described by its index: %s, %s %j', async (name, content_type, args) => {
    const file = await make(name, {}, ...args);
    expect(await inspect(file)).toMatchObject({
      ok: true,
      facts: { content_type, bytes: file.length, duration_seconds: 2, width: 320, height: 240, fps: 24 },
    });
  });

  test('counts its longest track, which Wan may bill', async () => {
    const file = await make('in.mp4', { seconds: 2 }, '-f', 'lavfi', '-i', 'sine=duration=2.2', '-c:a', 'aac');
    const inspected = await inspect(file);
    expect(inspected.ok && inspected.facts.duration_seconds).toBeGreaterThan(2.1);
  });

  test('is read in parts', async () => {
    const file = Buffer.concat([await make('in.mp4'), Buffer.alloc(0)]);
    const padded = Buffer.concat([file, box('free', Buffer.alloc(3 * 1024 * 1024))]);
    const inspected = await inspect(padded);
    expect(inspected).toMatchObject({ ok: true, facts: { bytes: padded.length } });
    expect(inspected.read).toBeLessThan(1024 * 1024);
  });

  test.each<[string, Parameters<typeof make>[1], Partial<VideoLimits>, string]>([
    ['too short', { seconds: 0.5 }, {}, 'video_duration'],
    ['too long', { seconds: 3 }, { max_seconds: 2 }, 'video_duration'],
    ['of too few frames', { fps: 10 }, {}, 'video_frame_rate'],
    ['too small', { size: '320x200' }, {}, 'video_dimensions'],
    ['too large', { size: '640x480' }, { max_side: 600 }, 'video_dimensions'],
    ['of too many bytes', {}, { max_bytes: 1000 }, 'video_too_large'],
  ])('is refused when it is %s', async (_, given, within, code) => {
    expect(await codes(await make('in.mp4', given), { ...limits, ...within })).toEqual([code]);
  });

  test('is refused when it is no MP4 or MOV, empty, cut off or without an index', async () => {
    const file = await make('in.mp4');
    expect(await codes(new Uint8Array())).toEqual(['video_empty']);
    expect(await codes(Buffer.from('GIF89a, a GIF that is no video'))).toEqual(['unsupported_video_type']);
    expect(await codes(file.subarray(0, file.length - 100))).toEqual(['video_unreadable']);
    expect(await codes(Buffer.concat([file.subarray(0, 32), box('moov', Buffer.alloc(16))]))).toEqual([
      'video_unreadable',
    ]);
  });

  test('never throws for a damaged index, and reports it', async () => {
    const file = await make('in.mp4', {}, '-movflags', '+faststart');
    for (let at = 40; at < 1200; at += 7) {
      const damaged = Buffer.from(file);
      damaged.writeUInt32BE(0xffffffff, at);
      const inspected = await inspect(damaged);
      expect(inspected.ok || inspected.issues.length > 0).toBe(true);
    }
  });
});

function box(type: string, content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(8 + content.length);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, content]);
}
