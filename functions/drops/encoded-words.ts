/**
 * Decodes RFC 2047 encoded words, the form in which S3 gives non-ASCII metadata back. Text without any stays as it is, and so do
 * words in a character set other than UTF-8 and ASCII.
 */
export const decodeEncodedWords = (text: string): string => text.replace(wordsInARow, decodeRow);

const word = /=\?([\w-]+)\?([bq])\?([^?\s]*)\?=/gi;

/** White space between two encoded words belongs to the encoding, not to the text (RFC 2047, section 6.2). */
const wordsInARow = new RegExp(`${word.source}(?:\\s*${word.source})*`, 'gi');

/** A character may be split between two words, so their bytes are joined before they become text. */
function decodeRow(row: string): string {
  const words = [...row.matchAll(word)].map(([, charset, encoding, data]) => ({
    charset: charset!.toLowerCase(),
    bytes: encoding!.toLowerCase() === 'b' ? Buffer.from(data!, 'base64') : quotedBytes(data!),
  }));
  const isUtf8 = words.every(({ charset }) => ['utf-8', 'utf8', 'us-ascii', 'ascii'].includes(charset));
  return isUtf8 ? Buffer.concat(words.map(({ bytes }) => bytes)).toString('utf8') : row;
}

/** The bytes of the "Q" encoding: `_` is a space, `=XX` a byte. */
function quotedBytes(data: string): Buffer {
  const text = data
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}
