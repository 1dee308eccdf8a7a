import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Directories locked by this process. The process id alone does not prove ownership: a killed process may have had the
 * same one.
 */
const lockedDirectories = new Set<string>();

/**
 * Locks a state directory for this process and creates it if it does not exist. Replaces the lock of a process that has
 * ended.
 * @returns a function that releases the lock
 * @throws Error when another process uses the directory
 */
export function lockDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, 'lock');
  for (;;) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const ownerId = Number(readFileSync(file, 'utf8'));
    if (isAlive(ownerId, directory))
      throw new Error(
        `The state directory ${directory} is in use by process ${ownerId}. End that process, or set LOCAL_DIR to another directory. (If that process is not firstframe, delete ${file}.)`,
      );
    rmSync(file, { force: true });
  }
  lockedDirectories.add(directory);
  return () => {
    lockedDirectories.delete(directory);
    rmSync(file, { force: true });
  };
}

function isAlive(processId: number, directory: string): boolean {
  if (processId === process.pid) return lockedDirectories.has(directory);
  if (!Number.isInteger(processId) || processId <= 0) return false;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
