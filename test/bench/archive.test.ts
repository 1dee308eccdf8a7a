import { expect, test } from 'vitest';
import { boundsOf } from '../../bench/archive/archive.ts';
import { openArchiveBench } from '../../bench/archive/measure.ts';
import { isWithin } from '../../bench/bounds.ts';

test('archiving takes the same memory for any size of video, unlike a copy through one buffer', async () => {
  const bench = await openArchiveBench(512);
  try {
    const small = await bench.archive('streamed', 20_000_000);
    // Garbage collection may raise the memory of one run. A copy that buffers the video raises it in both.
    const large = [await bench.archive('streamed', 60_000_000), await bench.archive('streamed', 60_000_000)].toSorted(
      (one, other) => one.peak_bytes - other.peak_bytes,
    );
    expect(boundsOf([small, large[0]!]).every(isWithin)).toBe(true);
    expect(boundsOf([small, await bench.archive('buffered', 60_000_000)]).every(isWithin)).toBe(false);
  } finally {
    await bench.close();
  }
}, 120_000);

test('memory above that of the function, or growth above a quarter, exceeds a bound', () => {
  const archived = (peak_mb: number) => ({ bytes: 1, sha256: '', seconds: 1, peak_bytes: peak_mb * 1024 * 1024 });
  expect(boundsOf([archived(510), archived(511)]).every(isWithin)).toBe(true);
  expect(boundsOf([archived(510), archived(513)]).every(isWithin)).toBe(false);
  expect(boundsOf([archived(100), archived(126)]).every(isWithin)).toBe(false);
});
