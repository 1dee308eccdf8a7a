import { maxImageBytes } from '../media/image.ts';
import { pointerTo } from '../shared/issues.ts';
import { isJsonObject, parseJson } from '../shared/json-body.ts';
import { invalidRequest, type ProblemError } from '../shared/problem.ts';
import { isTake, takeIsNoNumber } from './settings-file.ts';

/** Bytes that a manifest may have: as many as are read of any object. */
export const MAX_MANIFEST_BYTES = maxImageBytes;
/** Lines that it may have, empty ones included. */
const MAX_MANIFEST_LINES = 10_000;

/** A line without its end, by its number from 1; empty lines count. */
export interface RawLine {
  line: number;
  bytes: Uint8Array;
}

/** The lines of a manifest that are not empty, or why it cannot have any. */
type ManifestText = { lines: RawLine[] } | { issue: { code: string; message: string } };

/** Reads the lines of a manifest, whether they end with LF or CRLF, and with or without a byte order mark before them. */
export function readManifestText(manifest: Uint8Array): ManifestText {
  if (isUtf16(manifest)) {
    return issue(
      'manifest_not_jsonl',
      `The manifest is UTF-16, as PowerShell's > writes it. Save it as UTF-8: write it with "| Set-Content -Encoding utf8 manifest.jsonl", or convert it with "iconv -f UTF-16 -t UTF-8".`,
    );
  }
  const lines = splitLines(manifest);
  if (!lines) return issue('too_many_lines', `The manifest has more than ${MAX_MANIFEST_LINES} lines. Split it.`);
  const [first] = lines;
  if (!first) {
    return issue('manifest_empty', 'The manifest has no request. Write the body of POST /videos on each line.');
  }
  if (first.bytes.find((byte) => !isSpace(byte)) === openingBracket) {
    return issue(
      'manifest_not_jsonl',
      `The manifest is a JSON array. Write each of its objects on one line, without commas between them: "jq -c '.[]' array.json > manifest.jsonl".`,
    );
  }
  if (spansLines(manifest.subarray(first.bytes.byteOffset - manifest.byteOffset))) {
    return issue(
      'manifest_not_jsonl',
      `The first object of the manifest spans several lines. Write each object on one line: "jq -c . objects.json > manifest.jsonl".`,
    );
  }
  return { lines };
}

const issue = (code: string, message: string): ManifestText => ({ issue: { code, message } });

/** By its byte order mark, or by the zero byte that UTF-16 has next to each ASCII character, such as the first brace. */
const isUtf16 = ([one, two]: Uint8Array): boolean =>
  (one === 0xff && two === 0xfe) ||
  (one === 0xfe && two === 0xff) ||
  (two !== undefined && (one === 0) !== (two === 0));

const [lineFeed, carriageReturn, openingBracket] = [0x0a, 0x0d, 0x5b];
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x09;

/** @returns undefined for more lines than a manifest may have */
function splitLines(manifest: Uint8Array): RawLine[] | undefined {
  const lines: RawLine[] = [];
  const start = byteOrderMark.equals(manifest.subarray(0, 3)) ? byteOrderMark.length : 0;
  for (let from = start, line = 1; from < manifest.length; line++) {
    if (line > MAX_MANIFEST_LINES) return undefined;
    const found = manifest.indexOf(lineFeed, from);
    const end = found === -1 ? manifest.length : found;
    const bytes = manifest.subarray(from, manifest[end - 1] === carriageReturn ? end - 1 : end);
    if (!bytes.every(isSpace)) lines.push({ line, bytes });
    from = end + 1;
  }
  return lines;
}

/** Whether the first JSON value of a text has a line break in it, as pretty-printed JSON has. */
function spansLines(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  let depth = 0;
  let inString = false;
  let hasLineBreak = false;
  for (const { 0: mark, index } of text.matchAll(/\\.|["{}[\]\n]/gs)) {
    if (mark === '"') inString = !inString;
    else if (mark === '\n') hasLineBreak = true;
    // A string in JSON has no line break: the line is broken off, and the next one may be whole.
    if (inString && mark === '\n') return false;
    if (inString || mark === '"' || mark === '\n') continue;
    if (mark === '{' || mark === '[') depth++;
    else if (mark === '}' || mark === ']') depth--;
    if (depth <= 0) return hasLineBreak && isJson(text.slice(0, index + 1));
  }
  return false;
}

function isJson(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns the request of a line, and which of its values the line has, by JSON pointer. `take` is not part of the request: it only
 * makes the line another one.
 * @throws ProblemError for a `take` that is not one
 */
export function requestOfLine(line: unknown): { body: unknown; settings: Record<string, 'line'> } {
  if (!isJsonObject(line)) return { body: line, settings: {} };
  const { take, ...body } = line;
  if (take !== undefined && !isTake(take)) throw invalidRequest([takeIsNoNumber]);
  const pointers = ['model', 'take', 'webhook_url', 'webhook_events']
    .filter((name) => Object.hasOwn(line, name))
    .map((name) => pointerTo('', name));
  for (const section of ['input', 'parameters', 'metadata']) {
    const values = Object.hasOwn(line, section) ? line[section] : undefined;
    if (!isJsonObject(values)) continue;
    const names = Object.keys(values).filter((name) => name !== 'img_url');
    pointers.push(...names.map((name) => pointerTo(pointerTo('', section), name)));
  }
  return { body, settings: Object.fromEntries(pointers.map((pointer) => [pointer, 'line'])) };
}

/** The message for a line that is refused. */
export function explainLine({ members: { detail, errors = [] } }: ProblemError): string {
  const lacksModel = errors.some(({ pointer, code }) => pointer === '/model' && code === 'missing');
  return lacksModel
    ? `${detail} A line has all of its settings: _defaults.json and the setting drop do not apply to it.`
    : detail;
}
