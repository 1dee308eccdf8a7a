import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

export interface Finding {
  /** Relative to what was scanned. */
  file: string;
  marker: string;
  /** The first hundred characters before the marker, for whoever has to find the line. */
  before: string;
}

/**
 * Where markers stand in the files below directories, plain, encoded for a URL or as base64. Lines at the level DEBUG may hold them.
 * @param markers by name: a finding tells the name, not the secret
 */
export function scan(
  root: string,
  directories: readonly string[],
  markers: Readonly<Record<string, string>>,
): Finding[] {
  const files = directories.flatMap((directory) => filesBelow(path.join(root, directory)));
  return files.flatMap((file) =>
    findMarkers(readFileSync(file, 'utf8'), markers).map((found) => ({ file: path.relative(root, file), ...found })),
  );
}

export function findMarkers(text: string, markers: Readonly<Record<string, string>>): Omit<Finding, 'file'>[] {
  const lines = text.split('\n').filter((line) => !line.includes('"level":"DEBUG"'));
  return Object.entries(markers).flatMap(([marker, secret]) =>
    lines.flatMap((line) => {
      const at = spellings(secret)
        .map((spelling) => line.indexOf(spelling))
        .find((index) => index >= 0);
      return at === undefined ? [] : [{ marker, before: line.slice(Math.max(0, at - 100), at) }];
    }),
  );
}

/** As it is, in a URL, in JSON, and within a base64 text wherever it may begin there. */
const spellings = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  ...[0, 1, 2].map((before) => {
    const text = Buffer.from(`${' '.repeat(before)}${secret}`).toString('base64');
    // The letters that also depend on what stands before and after it are no part of it.
    return text.slice(before === 0 ? 0 : before + 1, Math.floor(((before + Buffer.byteLength(secret)) * 8) / 6));
  }),
];

/** What a stack has in files, by the way: a directory that is not there holds nothing. */
function filesBelow(directory: string): string[] {
  if (!statSync(directory, { throwIfNoEntry: false })) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(directory, name))
    .filter((file) => statSync(file).isFile());
}
