/**
 * Returns the text that was meant by a value of `x-amz-meta-…`. S3 reads a header's bytes as Latin-1, so UTF-8 that a client sent
 * unencoded comes back as encoded words of garbled text (S3 User Guide, "Working with object metadata": its own example does);
 * text that is valid UTF-8 when read so again is taken as that.
 */
export function readMetadataText(value: string): string {
  const text = decodeEncodedWords(value);
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.toString('latin1') !== text) return text;
  return decodeUtf8(bytes) ?? text;
}

/**
 * Decodes RFC 2047 encoded words, the form in which S3 returns non-ASCII metadata. Text without any is returned unchanged, and so are
 * words in an unknown character set.
 */
export const decodeEncodedWords = (text: string): string => text.replace(wordsInARow, decodeRow);

const word = /=\?([\w-]+)\?([bq])\?([^?\s]*)\?=/gi;

/** White space between two encoded words belongs to the encoding, not to the text (RFC 2047, section 6.2). */
const wordsInARow = new RegExp(`${word.source}(?:\\s*${word.source})*`, 'gi');

/** A character may be split between two words, so the bytes of words in one character set are joined before they become text. */
function decodeRow(row: string): string {
  const words = [...row.matchAll(word)].map(([, charset, encoding, data]) => ({
    charset: charset!.toLowerCase(),
    bytes: encoding!.toLowerCase() === 'b' ? Buffer.from(data!, 'base64') : quotedBytes(data!),
  }));
  const [{ charset } = { charset: '' }] = words;
  if (words.some((word) => word.charset !== charset)) {
    return row
      .replace(/\?=\s*=\?/g, '?=\0=?')
      .split('\0')
      .map(decodeRow)
      .join('');
  }
  try {
    return new TextDecoder(charset, { ignoreBOM: true }).decode(Buffer.concat(words.map(({ bytes }) => bytes)));
  } catch {
    return row;
  }
}

/** The bytes of the "Q" encoding: `_` is a space, `=XX` a byte. */
function quotedBytes(data: string): Buffer {
  const text = data
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}

/** @returns undefined for bytes that are not UTF-8 */
function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Decodes a prompt that a program percent-encoded as for a URL (Python's `quote` and `quote_plus`, JavaScript's
 * `encodeURIComponent`). Text with a blank or a character beyond ASCII was not encoded as a whole, and "100% cotton" is plain text.
 * @returns undefined for text that seems encoded and cannot be decoded: part of it, cut off, in another way or more than once
 */
export function decodePercent(text: string): string | undefined {
  const mayBeEncoded = /^[\x21-\x7e]+$/.test(text);
  const decoded = mayBeEncoded ? decodeWhole(text) : text;
  return decoded === undefined || leftovers.test(decoded) ? undefined : decoded;
}

function decodeWhole(text: string): string | undefined {
  if (!/%[0-9a-f]{2}/i.test(text)) return /[^+]\+[^+]/.test(text) ? text.replaceAll('+', ' ') : text;
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined;
  const plain = /%20/.test(text) ? text : text.replaceAll('+', ' ');
  const bytes = plain.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return decodeUtf8(Buffer.from(bytes, 'latin1'));
}

/**
 * What no one writes in a prompt: UTF-8 or a blank percent-encoded, `%uXXXX`, `\uXXXX`, `\xXX`, HTML's `&#1234;` and `&amp;`, an encoded
 * word, quoted-printable UTF-8, RFC 8187's `UTF-8''`, and the character that replaces bytes that are in no character set.
 */
const leftovers = new RegExp(
  [
    /%20|%0[ad]|%[c-f][0-9a-f]%[89ab][0-9a-f]|%u[0-9a-f]{4}/,
    /\\u\{?[0-9a-f]{4}|\\x[89a-f][0-9a-f]/,
    /&#(?:\d{2,7}|x[0-9a-f]{2,6});|&(?:amp|quot|apos|lt|gt|nbsp|[a-z](?:uml|acute|grave|circ|tilde|cedil));/,
    /=\?[\w-]+(?:\*[\w-]+)?\?[bq]\?|=[c-f][0-9a-f]=[89ab][0-9a-f]|^(?:utf-8|iso-8859-1)'[a-z-]*'|\ufffd/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

/** Whether a value is how programs write a field that was never filled in: `null`, or the name of it in their language. */
export const isNone = (value: unknown): boolean =>
  value === null || (typeof value === 'string' && /^(?:none|null|undefined|nan)$/i.test(value.trim()));
