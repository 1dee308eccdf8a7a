import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

/**
 * Notices that the state of a running stack was deleted.
 * @param directory absolute; its folders, except the logs, must stay
 * @returns a function that returns the sentence for the user once a folder is missing, or for an error that a deleted file caused
 */
export function deletedStateIn(directory: string): (error?: unknown) => string | undefined {
  const folders = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'logs')
    .map(({ name }) => path.join(directory, name));
  return (error) => {
    const missing = [directory, ...folders].find((folder) => !existsSync(folder));
    if (missing === undefined && !isCausedByDeletion(error, directory)) return undefined;
    return `The state in ${missing ?? directory} was deleted while firstframe was running, so it cannot continue. Start it again.`;
  };
}

/** LevelDB's errors have no code, only the text of the operating system. */
const isCausedByDeletion = (error: unknown, directory: string): boolean =>
  error instanceof Error && /ENOENT|no such file/i.test(error.message) && error.message.includes(directory);
