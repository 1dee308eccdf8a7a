import type { SettingsBody } from './settings-file.ts';

const asText = (text: string) => text;
const asFlag = (text: string) => (text === 'true' ? true : text === 'false' ? false : text);
const asNumber = (text: string) => (/^\d+$/.test(text) ? Number(text) : text);

interface Field {
  at: 'body' | 'input' | 'parameters';
  name: string;
  /** The value, or the text itself where it is none: the check of the request says what is wrong with it. */
  read: (text: string) => unknown;
}

/** Settings that an image may carry as `x-amz-meta-…`: where each goes in the body of `POST /videos`, and how its text is read. */
const metadataFields: ReadonlyMap<string, Field> = new Map([
  ['model', { at: 'body', name: 'model', read: asText }],
  ['prompt', { at: 'input', name: 'prompt', read: asText }],
  ['negative-prompt', { at: 'input', name: 'negative_prompt', read: asText }],
  ['audio-url', { at: 'input', name: 'audio_url', read: asText }],
  ['template', { at: 'input', name: 'template', read: asText }],
  ['resolution', { at: 'parameters', name: 'resolution', read: asText }],
  ['duration', { at: 'parameters', name: 'duration', read: asNumber }],
  ['prompt-extend', { at: 'parameters', name: 'prompt_extend', read: asFlag }],
  ['shot-type', { at: 'parameters', name: 'shot_type', read: asText }],
  ['watermark', { at: 'parameters', name: 'watermark', read: asFlag }],
  ['seed', { at: 'parameters', name: 'seed', read: asNumber }],
  ['audio', { at: 'parameters', name: 'audio', read: asFlag }],
]);

/**
 * What an object's metadata says of its video. A field's name may be written with hyphens or, as in the API, with underscores.
 * Metadata of other names is somebody else's and is passed over, and so is a blank prompt, template or sound: programs send fields
 * that nobody filled in, and a video without a prompt would be paid for.
 */
export function settingsOfMetadata(metadata: Readonly<Record<string, string>>): SettingsBody {
  const own: Record<Field['at'], Record<string, unknown>> = { body: {}, input: {}, parameters: {} };
  for (const [name, value] of Object.entries(metadata)) {
    const field = metadataFields.get(name.toLowerCase().replaceAll('_', '-'));
    const text = readMetadataText(value);
    if (field && !(field.at === 'input' && text.trim() === '')) own[field.at][field.name] = field.read(text);
  }
  return { ...own.body, input: own.input, parameters: own.parameters };
}

/**
 * The text that somebody meant by a value of `x-amz-meta-…`. S3 takes a header's bytes for Latin-1, so UTF-8 that a client sent
 * as it is comes back as encoded words of garbled text (S3 User Guide, "Working with object metadata": its own example does);
 * what reads as UTF-8 once more was meant so.
 */
export function readMetadataText(value: string): string {
  const text = decodeEncodedWords(value);
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.toString('latin1') !== text) return text;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return text;
  }
}

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
