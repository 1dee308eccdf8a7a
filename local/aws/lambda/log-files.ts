import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';

export interface LogFiles {
  /** Appends a function's output. Each line gets its time and request id. */
  write(functionName: string, text: string, requestId: string | undefined): void;
}

/** A log that is larger than this at the first write of a process is renamed to `<name>.log.old`. */
const maxBytes = 10 * 1024 * 1024;

/**
 * Writes one file `<function>.log` per function. Writes synchronously, so that a killed process leaves its last lines.
 */
export function createLogFiles(directory: string, now: () => number): LogFiles {
  mkdirSync(directory, { recursive: true });
  const opened = new Set<string>();
  return {
    write(functionName, text, requestId) {
      const file = path.join(directory, `${functionName}.log`);
      if (!opened.has(file)) {
        opened.add(file);
        if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(file, `${file}.old`);
      }
      const prefix = `${new Date(now()).toISOString()} ${requestId ?? '-'} `;
      const lines = text.replace(/\n$/, '').split('\n');
      const append = () => appendFileSync(file, lines.map((line) => `${prefix}${line}\n`).join(''), { mode: 0o600 });
      try {
        append();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        // Logs may be deleted at any time.
        mkdirSync(directory, { recursive: true });
        append();
      }
    },
  };
}
