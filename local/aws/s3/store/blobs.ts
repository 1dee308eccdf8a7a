import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

export type Write = (bytes: Uint8Array) => Promise<void>;

/** Write-once files with random names. Files that no record references are removed at the next start. */
export interface Blobs {
  /** Creates a file and passes its writer to `fill`. If `fill` throws, the file is removed. */
  write<T>(fill: (write: Write) => Promise<T>): Promise<{ blob: string; result: T }>;
  /** Creates another name for a file of this or another bucket without copying it. */
  link(path: string): string;
  path(blob: string): string;
  /** Returns a descriptor that stays readable after the blob is removed. */
  open(blob: string): number;
  /** A file that cannot be removed now is removed at the next start. */
  remove(blob: string): void;
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
        rmSync(path(blob), { force: true });
        throw error;
      }
    },
    link(source) {
      const blob = randomUUID();
      linkSync(source, path(blob));
      return blob;
    },
    open: (blob) => openSync(path(blob), 'r'),
    remove(blob) {
      try {
        rmSync(path(blob), { force: true });
      } catch {}
    },
    removeAllBut(kept) {
      for (const blob of readdirSync(directory)) if (!kept.has(blob)) rmSync(path(blob));
    },
  };
}
