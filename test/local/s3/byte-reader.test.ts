import { describe, expect, test } from 'vitest';
import { createByteReader } from '../../../local/aws/s3/body/aws-chunks.ts';

/** Yields the text in buffers of `size` bytes. */
async function* inPieces(text: string, size: number) {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
}

async function drain(pieces: AsyncIterable<Buffer>) {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

describe.each([1, 2, 3, 5, 8, 13, 1000])('in buffers of %i bytes', (size) => {
  test('lines and byte counts may span buffers', async () => {
    const reader = createByteReader(inPieces('first\r\n\r\n12345678\r\nrest', size));
    expect([await reader.line(10), await reader.line(10)]).toEqual(['first', '']);
    expect(await drain(reader.take(3))).toBe('123');
    expect([await reader.line(10), await reader.line(10)]).toEqual(['45678', undefined]);
  });

  test('a line that is too long or has no end is undefined', async () => {
    expect(await createByteReader(inPieces('12345\r\n', size)).line(4)).toBeUndefined();
    expect(await createByteReader(inPieces('12345\r\n', size)).line(5)).toBe('12345');
    expect(await createByteReader(inPieces('12345', size)).line(9)).toBeUndefined();
  });

  test('a stream that ends early yields fewer bytes', async () => {
    expect(await drain(createByteReader(inPieces('abc', size)).take(5))).toBe('abc');
  });
});
