import { contentTypeOf, imageFormatOf } from '../../media/image-type.ts';

/** What a file of a kind that Wan reads is, by its first bytes; undefined for anything else. */
export function mediaTypeOf(bytes: Uint8Array): string | undefined {
  const image = imageFormatOf(bytes);
  return image ? contentTypeOf(image) : soundTypeOf(Buffer.from(bytes.subarray(0, 12)));
}

function soundTypeOf(start: Buffer): 'audio/wav' | 'audio/mpeg' | undefined {
  const text = start.toString('latin1');
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WAVE') return 'audio/wav';
  // A tag, or the eleven bits that a frame begins with and a layer, which is never 00.
  const [first = 0, second = 0] = start;
  const isFrame = first === 0xff && (second & 0xe0) === 0xe0 && (second & 0x06) !== 0;
  return text.startsWith('ID3') || isFrame ? 'audio/mpeg' : undefined;
}
