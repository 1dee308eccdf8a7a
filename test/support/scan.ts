import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

export interface Finding {
  /** Relative to the scanned directory. */
  file: string;
  marker: string;
  /** Up to a hundred characters before the marker, to locate it. */
  before: string;
}

/**
 * Finds markers in the files below directories: plain, URL-encoded or as base64. Ignores lines at the level DEBUG.
 * @param markers by name; a finding contains the name, not the secret
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

/** Returns the forms of a marker: plain, in a URL, in JSON, and in base64 at any offset. */
const spellings = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1),
  ...[0, 1, 2].map((before) => {
    const text = Buffer.from(`${' '.repeat(before)}${secret}`).toString('base64');
    // Omits the characters that also depend on the text before and after.
    return text.slice(before === 0 ? 0 : before + 1, Math.floor(((before + Buffer.byteLength(secret)) * 8) / 6));
  }),
];

/** Lists the files below a directory; none when it does not exist. */
function filesBelow(directory: string): string[] {
  if (!statSync(directory, { throwIfNoEntry: false })) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(directory, name))
    .filter((file) => statSync(file).isFile());
}
