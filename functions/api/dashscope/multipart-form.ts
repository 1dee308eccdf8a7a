/** A form of this protocol has ten fields; the policy and its signature are the largest, and a part's headers name it. */
const MOST_PARTS = 40;
const MOST_HEADER_BYTES = 8 * 1024;

const [lineBreak, formEnd] = [Buffer.from('\r\n'), Buffer.from('--')];

/**
 * The parts of a form (multipart/form-data, RFC 7578) by their names, as the bytes they came as; what a file is called in its part
 * decides nothing. In one pass over the body, whatever it holds.
 * @returns undefined for what is no such form, or breaks off; for one of more than 40 parts, or with headers of a part over 8 KiB;
 * for a part that has no name, and for a name that two have
 */
export function readMultipartForm(body: Uint8Array, contentType: string): Map<string, Buffer> | undefined {
  const delimiter = delimiterOf(contentType);
  if (!delimiter) return undefined;
  // The first delimiter needs no line break before it, all others do.
  const text = Buffer.concat([lineBreak, body]);
  const parts = new Map<string, Buffer>();
  let start = nextDelimiter(text, delimiter, 0);
  while (start !== undefined) {
    const next = start + delimiter.length;
    if (standsAt(text, next, formEnd)) return parts;
    const end = nextDelimiter(text, delimiter, next);
    const part = text.subarray(next, end);
    const blank = part.subarray(0, MOST_HEADER_BYTES).indexOf('\r\n\r\n');
    const name = blank < 0 ? undefined : nameIn(part.toString('utf8', 0, blank));
    if (name === undefined || parts.has(name) || parts.size === MOST_PARTS) return undefined;
    parts.set(name, part.subarray(blank + 4));
    start = end;
  }
  return undefined;
}

/** What stands before each part. A boundary has at most 70 characters (RFC 2046, section 5.1.1), which bounds the search for it. */
function delimiterOf(contentType: string): Buffer | undefined {
  const boundary = /^multipart\/form-data\s*;/i.test(contentType)
    ? parametersOf(contentType).get('boundary')
    : undefined;
  return boundary && /^[ -~]{0,69}[!-~]$/.test(boundary) ? Buffer.from(`\r\n--${boundary}`) : undefined;
}

const standsAt = (text: Buffer, at: number, pair: Buffer): boolean => text[at] === pair[0] && text[at + 1] === pair[1];

/** Where the next delimiter begins: one that a longer word begins with is a file's own bytes, such as those of a form in a file. */
function nextDelimiter(text: Buffer, delimiter: Buffer, from: number): number | undefined {
  for (let at = text.indexOf(delimiter, from); at >= 0; at = text.indexOf(delimiter, at + 1)) {
    const after = at + delimiter.length;
    if (standsAt(text, after, formEnd) || standsAt(text, after, lineBreak)) return at;
  }
  return undefined;
}

function nameIn(headers: string): string | undefined {
  const disposition = headers
    .split('\r\n')
    .find((line) => /^content-disposition[ \t]*:[ \t]*form-data[ \t]*;/i.test(line));
  return disposition && parametersOf(disposition).get('name');
}

/**
 * The parameters of a header, by their names in lower case: `; name=key; filename="a\"b.png"`. They end at one that can't be read,
 * such as a browser's `filename="a\"`, which escapes nothing: `name` comes before.
 */
function parametersOf(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const parameter = /;[ \t]*([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;"]*))[ \t]*/y;
  parameter.lastIndex = Math.max(0, header.indexOf(';'));
  for (let found = parameter.exec(header); found; found = parameter.exec(header)) {
    const [, name = '', quoted, token = ''] = found;
    const value = quoted === undefined ? token.trim() : quoted.replace(/\\(.)/g, '$1');
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
  }
  return parameters;
}
