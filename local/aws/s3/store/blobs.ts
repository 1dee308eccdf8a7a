import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

export type Write = (bytes: Uint8Array) => Promise<void>;

/** Files of bytes under random names, written once. One that no record names is garbage and goes at the next start. */
export interface Blobs {
  /** Creates a file and hands its writer to `fill`; when that throws, nothing is left. */
  write<T>(fill: (write: Write) => Promise<T>): Promise<{ blob: string; result: T }>;
  /** Another name for a file of this or another bucket, without copying its bytes. */
  link(path: string): string;
  path(blob: string): string;
  /** A descriptor that stays readable though the blob be removed meanwhile. */
  open(blob: string): number;
  remove(blob: string): Promise<void>;
  removeAllBut(kept: ReadonlySet<string>): void;
}

export function openBlobs(directory: string): Blobs {
  mkdirSync(directory, { recursive: true });
  const path = (blob: string) => join(directory, blob);

  return {
    path,
    async write(fill) {
      const blob = randomUUID();
      const file = await open(path(blob), 'wx');
      try {
        const result = await fill(async (bytes) => {
          for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
        });
        await file.close();
        return { blob, result };
      } catch (error) {
        await file.close();
        await rm(path(blob), { force: true });
        throw error;
      }
    },
    link(source) {
      const blob = randomUUID();
      linkSync(source, path(blob));
      return blob;
    },
    open: (blob) => openSync(path(blob), 'r'),
    remove: (blob) => rm(path(blob), { force: true }),
    removeAllBut(kept) {
      for (const blob of readdirSync(directory)) if (!kept.has(blob)) rmSync(path(blob));
    },
  };
}
