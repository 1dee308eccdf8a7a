import { expect, test } from 'vitest';
import { mayBeCutOff } from '../../../functions/drops/cut-off-image.ts';
import { mediaTypeOf } from '../../../functions/media/file-kind.ts';
import { bmp } from '../../support/image-variants.ts';
import { ffmpegFile, movingImage, png, webp } from '../media/support.ts';

test.each<[string, () => Buffer | Promise<Buffer>]>([
  ['JPEG', () => ffmpegFile('one.jpg', ...movingImage('400x380', 1), '-frames:v', '1', '-update', '1')],
  ['PNG', () => png(400, 380)],
  ['BMP', () => bmp({ width: 400, height: 380 })],
  ['WEBP', () => webp(400, 380)],
])('a %s may be cut off at every length but its own', async (_, make) => {
  const whole = await make();
  expect(mayBeCutOff(whole, whole.length)).toBe(false);
  const lengths = [...Array.from({ length: 64 }, (_, length) => length), whole.length / 2, whole.length - 1];
  for (const length of lengths.map(Math.floor).filter((length) => length < whole.length)) {
    const part = whole.subarray(0, length);
    // Too short for any format: refused, and paid for by no one.
    if (length > 0 && mediaTypeOf(part) === undefined) continue;
    expect(mayBeCutOff(part, length), `${length} bytes`).toBe(true);
  }
});

test('a file of another kind, and one that is too large to be read whole, is not waited for', () => {
  expect(mayBeCutOff(Buffer.from('hello'), 5)).toBe(false);
  expect(mayBeCutOff(png(400, 380).subarray(0, 100), 50_000_000)).toBe(false);
});
