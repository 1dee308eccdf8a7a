import { describe, expect, test } from 'vitest';
import { createByteReader } from '../../../local/aws/s3/http/byte-reader.ts';

/** The text in buffers of `size` bytes. */
async function* inPieces(text: string, size: number) {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
}

async function drain<Result>(pieces: AsyncGenerator<Buffer, Result>) {
  let text = '';
  for (;;) {
    const next = await pieces.next();
    if (next.done) return { text, result: next.value };
    text += next.value;
  }
}

const delimiter = Buffer.from('\r\n--edge');

describe.each([1, 2, 3, 5, 8, 13, 1000])('in buffers of %i bytes', (size) => {
  test('lines, counts and delimiters are found wherever the buffers end', async () => {
    const text = 'first\r\n\r\n12345678\r\n--edg\r\n-\r\n--edge\r\nrest';
    const reader = createByteReader(inPieces(text, size));
    expect([await reader.line(10), await reader.line(10)]).toEqual(['first', '']);
    expect(await drain(reader.take(3))).toMatchObject({ text: '123' });
    expect(await drain(reader.until(delimiter))).toEqual({ text: '45678\r\n--edg\r\n-', result: true });
    expect(await reader.line(10)).toBe('');
    expect(await drain(reader.until(delimiter))).toMatchObject({ result: false });
  });

  test('a line that is too long or has no end is none', async () => {
    expect(await createByteReader(inPieces('12345\r\n', size)).line(4)).toBeUndefined();
    expect(await createByteReader(inPieces('12345\r\n', size)).line(5)).toBe('12345');
    expect(await createByteReader(inPieces('12345', size)).line(9)).toBeUndefined();
  });

  test('what ends early is short', async () => {
    expect(await drain(createByteReader(inPieces('abc', size)).take(5))).toMatchObject({ text: 'abc' });
  });
});
