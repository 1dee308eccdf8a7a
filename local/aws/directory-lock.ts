import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Directories that this very process holds: a process id alone can't tell it from a killed one that had the same. */
const held = new Set<string>();

/**
 * Takes a state directory for this process alone; makes it if need be. The lock of a process that is gone is taken over.
 * @returns what gives it back
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
    const owner = Number(readFileSync(file, 'utf8'));
    if (isAlive(owner, directory))
      throw new Error(
        `The state directory ${directory} is in use by process ${owner}. End that process, or set LOCAL_DIR to another directory. (If it is no firstframe, delete ${file}.)`,
      );
    rmSync(file, { force: true });
  }
  held.add(directory);
  return () => {
    held.delete(directory);
    rmSync(file, { force: true });
  };
}

function isAlive(processId: number, directory: string): boolean {
  if (processId === process.pid) return held.has(directory);
  if (!Number.isInteger(processId) || processId <= 0) return false;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
