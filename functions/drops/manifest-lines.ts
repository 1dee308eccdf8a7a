/** Bytes that a manifest may have. */
export const MAX_MANIFEST_BYTES = 10 * 1024 * 1024;
/** Lines that it may have, empty ones included. */
export const MAX_MANIFEST_LINES = 10_000;

/** A line that asks for something. */
export interface ManifestLine {
  /** From 1; empty lines count. */
  line: number;
  /** Without its end. */
  bytes: Uint8Array;
}

const [lineFeed, carriageReturn] = [0x0a, 0x0d];
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The lines of a manifest that are not empty, whether they end with LF or CRLF, and with or without a byte order mark before them.
 * @returns `too_many_lines` for more than `MAX_MANIFEST_LINES`
 */
export function readLines(manifest: Uint8Array): ManifestLine[] | 'too_many_lines' {
  const lines: ManifestLine[] = [];
  const start = byteOrderMark.equals(manifest.subarray(0, 3)) ? byteOrderMark.length : 0;
  for (let from = start, line = 1; from < manifest.length; line++) {
    if (line > MAX_MANIFEST_LINES) return 'too_many_lines';
    const found = manifest.indexOf(lineFeed, from);
    const end = found === -1 ? manifest.length : found;
    const bytes = manifest.subarray(from, manifest[end - 1] === carriageReturn ? end - 1 : end);
    if (!isBlank(bytes)) lines.push({ line, bytes });
    from = end + 1;
  }
  return lines;
}

/** Spaces and tabs alone, or nothing. */
const isBlank = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0x20 || byte === 0x09);
