import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32, deflateSync } from 'node:zlib';
import ffmpeg from '@ffmpeg-installer/ffmpeg';

export function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A grey PNG; colour type 2 is RGB, 3 a palette, 6 RGBA; `transparent` adds a tRNS chunk. */
export function png(width: number, height: number, { colorType = 2, transparent = false } = {}): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = colorType;
  const channels = { 2: 3, 3: 1, 6: 4 }[colorType] ?? 1;
  const row = Buffer.alloc(1 + width * channels, 0x80);
  row[0] = 0;
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    ...(colorType === 3 ? [pngChunk('PLTE', Buffer.alloc(768, 0x40))] : []),
    ...(transparent ? [pngChunk('tRNS', Buffer.alloc(colorType === 3 ? 256 : 6))] : []),
    pngChunk('IDAT', deflateSync(rows, { level: 1 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A WEBP header of the extended kind, with a frame of nothing. */
export function webp(width: number, height: number, { alpha = false } = {}): Buffer {
  const file = Buffer.alloc(40);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(32, 4);
  file.write('WEBPVP8X', 8, 'latin1');
  file.writeUInt32LE(10, 16);
  file[20] = alpha ? 0x10 : 0;
  file.writeUIntLE(width - 1, 24, 3);
  file.writeUIntLE(height - 1, 27, 3);
  file.write('VP8 ', 30, 'latin1');
  return file;
}

/** A WAV of silence, 8 kHz, 8 bit, mono. */
export function wav(seconds: number): Buffer {
  const samples = Math.round(seconds * 8000);
  const file = Buffer.alloc(44 + samples, 0x80);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(36 + samples, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(8000, 24);
  file.writeUInt32LE(8000, 28);
  file.writeUInt16LE(1, 32);
  file.writeUInt16LE(8, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(samples, 40);
  return file;
}

/** Runs ffmpeg and gives the file it makes; the last argument's extension decides the kind. */
export async function ffmpegFile(name: string, ...args: string[]): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'firstframe-media-'));
  try {
    await chmod(ffmpeg.path, 0o755);
    const path = join(folder, name);
    await promisify(execFile)(ffmpeg.path, ['-v', 'error', ...args, '-y', path]);
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A moving test image, 30 frames per second. */
export const movingImage = (size: string, seconds: number) => [
  '-f',
  'lavfi',
  '-i',
  `testsrc=size=${size}:rate=30:duration=${seconds}`,
];
/** A tone. */
export const tone = (seconds: number) => ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`];
export const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-threads', '1'];

/** A C2PA manifest's box, without the manifest. */
export const c2paBox = Buffer.concat([
  Buffer.from([0, 0, 0, 40]),
  Buffer.from('uuid'),
  Buffer.from('d8fec3d61b0e483c92975828877ec481', 'hex'),
  Buffer.from([0, 0, 0, 0]),
  Buffer.from('manifest\0\0\0\0'),
]);
