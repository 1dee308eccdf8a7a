import { createReadStream } from 'node:fs';
import type { Blobs } from '../store/blobs.ts';
import type { ByteRange } from './byte-range.ts';

/** Shown every buffer that passes: a hash. */
export interface ByteObserver {
  update(bytes: Uint8Array): unknown;
}

/** Writes files, or one range of each, one after the other into a new blob. */
export async function copyFiles(
  sources: readonly { path: string; range?: ByteRange }[],
  target: Blobs,
  observers: readonly ByteObserver[],
): Promise<{ blob: string; size: number }> {
  const { blob, result } = await target.write(async (write) => {
    let size = 0;
    for (const { path, range } of sources) {
      for await (const piece of createReadStream(path, { ...range, highWaterMark: bufferSize })) {
        size += piece.length;
        for (const observer of observers) observer.update(piece);
        await write(piece);
      }
    }
    return size;
  });
  return { blob, size: result };
}

const bufferSize = 1024 * 1024;
