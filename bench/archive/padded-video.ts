import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFfmpeg } from '../../local/wan/render/ffmpeg.ts';

/** The parameters of every video in this bench. */
export const videoParameters = { resolution: '480P', seconds: 5 } as const;

/** Makes a short MP4 like Wan's: H.264, 30 frames per second. */
export async function makeVideo(): Promise<Buffer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-archiving-'));
  const file = path.join(directory, 'video.mp4');
  const ffmpeg = createFfmpeg();
  try {
    const input = `testsrc=size=832x480:rate=30:duration=${videoParameters.seconds}`;
    const encoding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-threads', '1'];
    await ffmpeg.run(['-f', 'lavfi', '-i', input, ...encoding, file]);
    return await readFile(file);
  } finally {
    ffmpeg.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const filler = Buffer.alloc(64 * 1024, 'firstframe ');

/**
 * Pads a video to the given size with a `free` box, which players ignore and the verification of a video must skip. Generates the
 * padding while it is read.
 * @throws RangeError if the video is already larger
 */
export function* padVideo(video: Buffer, bytes: number): Generator<Buffer> {
  const box = bytes - video.length;
  if (box < 8) throw new RangeError(`A video of ${video.length} bytes cannot be padded to ${bytes}.`);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(box, 0);
  header.write('free', 4, 'latin1');
  yield video;
  yield header;
  for (let left = box - 8; left > 0; left -= filler.length)
    yield left < filler.length ? filler.subarray(0, left) : filler;
}
