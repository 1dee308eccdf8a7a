import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { LogEntry } from './records.ts';

/** An append-only file of changes. An entry counts once its last byte is written. */
export interface Log {
  /** Every whole entry, oldest first. */
  read(): LogEntry[];
  /** Synchronous, so that a check before it and the change of memory after it are one step. */
  append(entry: LogEntry): void;
  /** Replaces the log by entries that lead to the same state. */
  rewrite(entries: readonly LogEntry[]): void;
}

export function openLog(path: string): Log {
  return {
    read: () => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').flatMap(parse) : []),
    // The line feed comes first: it ends a line that a crash or a full disk has torn.
    append: (entry) => appendFileSync(path, `\n${JSON.stringify(entry)}`),
    rewrite: (entries) => {
      const fresh = `${path}.new`;
      writeFileSync(fresh, entries.map((entry) => `\n${JSON.stringify(entry)}`).join(''));
      renameSync(fresh, path);
    },
  };
}

/** A torn line is no JSON, for its last brace is missing; nobody was told that its change had happened. */
function parse(line: string): LogEntry[] {
  if (line === '') return [];
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
