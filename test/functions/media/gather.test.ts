import { expect, test } from 'vitest';
import { gather } from '../../../functions/media/byte-source.ts';

async function* piecesOf(...sizes: number[]): AsyncGenerator<Uint8Array> {
  let next = 0;
  for (const size of sizes) yield Uint8Array.from({ length: size }, () => next++ % 251);
}

test.each([
  ['many small pieces', Array.from({ length: 300 }, () => 1000)],
  ['pieces that are large enough', [65_536, 100_000, 65_536]],
  ['small and large ones', [1, 65_535, 1, 200_000, 7]],
  ['one small piece', [5]],
  ['nothing', []],
])('%s come out whole, none but the last under 64 KiB', async (_, sizes) => {
  const gathered: Uint8Array[] = [];
  for await (const piece of gather(piecesOf(...sizes))) gathered.push(piece);
  const bytes = Buffer.concat(gathered);
  expect(bytes).toHaveLength(sizes.reduce((sum, size) => sum + size, 0));
  expect(bytes.every((byte, index) => byte === index % 251)).toBe(true);
  expect(gathered.slice(0, -1).every((piece) => piece.byteLength >= 65_536)).toBe(true);
  expect(gathered.every((piece) => piece.byteLength > 0)).toBe(true);
});
