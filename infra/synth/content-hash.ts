import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** SHA-256 of a text or of bytes, as hex. */
export const hashOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/**
 * Files below directories, and single files, as sorted paths relative to the root. What does not exist is left out.
 */
export async function listFiles(root: string, places: readonly string[]): Promise<string[]> {
  const found = await Promise.all(places.map((place) => filesAt(root, place)));
  return found.flat().sort();
}

/** SHA-256 over the names and contents of files: equal if and only if nothing was added, removed, renamed or edited. */
export async function hashFiles(root: string, files: readonly string[]): Promise<string> {
  const hashes = await Promise.all(files.map(async (file) => `${file} ${hashOf(await readFile(join(root, file)))}`));
  return hashOf(hashes.join('\n'));
}

async function filesAt(root: string, place: string): Promise<string[]> {
  try {
    const entries = await readdir(join(root, place), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOTDIR') return [place];
    if (code === 'ENOENT') return [];
    throw error;
  }
}
