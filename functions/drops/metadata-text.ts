import { decodeEncodedWords } from './encoded-words.ts';

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
