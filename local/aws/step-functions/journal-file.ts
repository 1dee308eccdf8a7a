import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';

/** A file of JSON lines that only grows until it is rewritten. */
export interface JournalFile<Line> {
  /** Lines in the file. */
  lines: number;
  /**
   * Returns when the line survives a kill of this process (not a power cut: nothing is flushed).
   * @throws when the disk refuses it; the file is then as it was
   */
  append(line: Line): void;
  /** Replaces the whole content, or nothing of it. */
  rewrite(lines: Line[]): void;
  close(): void;
}

/**
 * Opens the file, creating it when missing, and reads what it holds. A last line without its line break was torn by a
 * kill before anybody was told of it: it is cut off.
 * @throws when any other line is no JSON
 */
export function openJournalFile<Line>(path: string): { content: Line[]; file: JournalFile<Line> } {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  let size = bytes.lastIndexOf(0x0a) + 1;
  const content = bytes
    .toString('utf8', 0, size)
    .split('\n')
    .slice(0, -1)
    .map((line, index) => parseLine<Line>(line, index, path));

  let descriptor = openSync(path, 'a');
  ftruncateSync(descriptor, size);

  const file: JournalFile<Line> = {
    lines: content.length,
    append(line) {
      const written = Buffer.from(`${JSON.stringify(line)}\n`);
      try {
        for (let offset = 0; offset < written.length; ) offset += writeSync(descriptor, written, offset);
      } catch (error) {
        ftruncateSync(descriptor, size);
        throw error;
      }
      size += written.length;
      file.lines += 1;
    },
    rewrite(lines) {
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
      closeSync(descriptor);
      descriptor = openSync(path, 'a');
      size = Buffer.byteLength(text);
      file.lines = lines.length;
    },
    close() {
      closeSync(descriptor);
    },
  };
  return { content, file };
}

function parseLine<Line>(line: string, index: number, path: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    throw new Error(
      `${path}:${index + 1} is not JSON, so the executions in it cannot be resumed. Repair or remove that line, or remove the directory to start afresh.`,
    );
  }
}
