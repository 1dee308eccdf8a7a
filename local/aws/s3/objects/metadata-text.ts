/**
 * S3 reads metadata as RFC 2047 text and gives it back so: ASCII stays as it is, anything else becomes encoded words.
 * A header's bytes are Latin-1 to it, so raw UTF-8 comes back garbled, as in its guide's own example ("Working with object metadata").
 */
export function decodeMetadata(value: string): string {
  // White space between two encoded words only separates them.
  return value.replace(/(\?=)\s+(?==\?)/g, '$1').replace(encodedWord, (word, charset, encoding, text) => {
    const bytes = encoding.toUpperCase() === 'B' ? Buffer.from(text, 'base64') : fromQ(text);
    try {
      return new TextDecoder(charset, { fatal: true }).decode(bytes);
    } catch {
      return word;
    }
  });
}

/** B for text that is mostly non-ASCII, Q for the rest; a word has at most 75 characters (RFC 2047, section 2). */
export function encodeMetadata(value: string): string {
  // Control characters too, which a form's field may bring and no header may carry.
  const foreign = value.match(/[^ -~]/gu)?.length ?? 0;
  if (foreign === 0) return value;
  const mostlyAscii = [...value].length > 2 * foreign;
  const encode = mostlyAscii ? toQ : (text: string) => Buffer.from(text).toString('base64');
  const head = mostlyAscii ? '=?UTF-8?Q?' : '=?UTF-8?B?';
  const room = longestWord - head.length - '?='.length;
  const words: string[] = [];
  let piece = '';
  for (const sign of value) {
    if (encode(piece + sign).length > room) {
      words.push(piece);
      piece = '';
    }
    piece += sign;
  }
  return [...words, piece].map((text) => `${head}${encode(text)}?=`).join(' ');
}

const longestWord = 75;
const encodedWord = /=\?([\w-]+)\?([BbQq])\?([^?\s]*)\?=/g;

function fromQ(text: string): Buffer {
  const latin1 = text
    .replaceAll('_', ' ')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin1, 'latin1');
}

function toQ(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const sign = String.fromCharCode(byte);
      if (/[A-Za-z0-9!*+/-]/.test(sign)) return sign;
      return sign === ' ' ? '_' : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}
