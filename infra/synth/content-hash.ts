import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Returns the SHA-256 of text or bytes as hex. */
export const hashOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** Lists files and the files below directories as sorted paths relative to the root. Ignores paths that do not exist. */
export async function listFiles(root: string, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((start) => filesAt(root, start)));
  return found.flat().sort();
}

/**
 * Returns a SHA-256 over the names and contents of files. It changes if and only if a file is added, removed, renamed or edited.
 */
export async function hashFiles(root: string, files: readonly string[]): Promise<string> {
  const hashes = await Promise.all(files.map(async (file) => `${file} ${hashOf(await readFile(join(root, file)))}`));
  return hashOf(hashes.join('\n'));
}

async function filesAt(root: string, start: string): Promise<string[]> {
  try {
    const entries = await readdir(join(root, start), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOTDIR') return [start];
    if (code === 'ENOENT') return [];
    throw error;
  }
}
