/** Request headers by lower-case name; values of a repeated header are joined by a comma. */
export type Headers = ReadonlyMap<string, string>;

/** Reads Node's raw header list, whose order and duplicates the signature needs. */
export function readHeaders(rawHeaders: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    const value = rawHeaders[i + 1]!;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}

/** Text as a header can carry it: UTF-8 bytes in Node's Latin-1 strings, line breaks as spaces. */
export function headerText(text: string): string {
  return Buffer.from(text.replace(/[\r\n]+/g, ' ')).toString('latin1');
}
