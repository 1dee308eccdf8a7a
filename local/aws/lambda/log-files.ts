import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';

export interface LogFiles {
  /** Appends what a function wrote, each line with its time and request id. */
  write(functionName: string, text: string, requestId: string | undefined): void;
}

/** A log that is larger than this when the process starts makes room for a new one and is kept as `<name>.log.old`. */
const largestBytes = 10 * 1024 * 1024;

/**
 * One file `<function>.log` per function. Written at once rather than in the background: after a kill the last lines are
 * what one wants to read.
 */
export function createLogFiles(directory: string, now: () => number): LogFiles {
  mkdirSync(directory, { recursive: true });
  const opened = new Set<string>();
  return {
    write(functionName, text, requestId) {
      const file = path.join(directory, `${functionName}.log`);
      if (!opened.has(file)) {
        opened.add(file);
        if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > largestBytes) renameSync(file, `${file}.old`);
      }
      const prefix = `${new Date(now()).toISOString()} ${requestId ?? '-'} `;
      const lines = text.replace(/\n$/, '').split('\n');
      appendFileSync(file, lines.map((line) => `${prefix}${line}\n`).join(''), { mode: 0o600 });
    },
  };
}
