import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFfmpeg } from '../../local/wan/render/ffmpeg.ts';

/** What is asked of each video here, and what each is. */
export const asked = { resolution: '480P', seconds: 5 } as const;

/** A short MP4 such as Wan makes: H.264, 30 frames a second. */
export async function makeVideo(): Promise<Buffer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-archiving-'));
  const file = path.join(directory, 'video.mp4');
  const ffmpeg = createFfmpeg();
  try {
    const picture = `testsrc=size=832x480:rate=30:duration=${asked.seconds}`;
    const encoding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-threads', '1'];
    await ffmpeg.run(['-f', 'lavfi', '-i', picture, ...encoding, file]);
    return await readFile(file);
  } finally {
    ffmpeg.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const filler = Buffer.alloc(64 * 1024, 'firstframe ');

/**
 * The same video with so many bytes in all: what is missing is a `free` box, which players skip and the proof of a video has to
 * step over. Made as it is read.
 * @throws RangeError when the video alone is larger
 */
export function* padded(video: Buffer, bytes: number): Generator<Buffer> {
  const box = bytes - video.length;
  if (box < 8) throw new RangeError(`A video of ${video.length} bytes can't be padded to ${bytes}.`);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(box, 0);
  header.write('free', 4, 'latin1');
  yield video;
  yield header;
  for (let left = box - 8; left > 0; left -= filler.length)
    yield left < filler.length ? filler.subarray(0, left) : filler;
}
