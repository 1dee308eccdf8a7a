import { expect, test } from 'vitest';
import { boundsOf } from '../../bench/archive/archive.ts';
import { openWorkbench } from '../../bench/archive/measure.ts';
import { holds } from '../../bench/verdict.ts';

test('archiving takes the same memory however large the video is; through one buffer it would not', async () => {
  const workbench = await openWorkbench(512);
  try {
    const small = await workbench.archive('streamed', 20_000_000);
    // One run may take more for the collector's sake; what holds the whole video shows in each.
    const large = [
      await workbench.archive('streamed', 60_000_000),
      await workbench.archive('streamed', 60_000_000),
    ].toSorted((one, other) => one.peak_bytes - other.peak_bytes);
    expect(boundsOf([small, large[0]!]).every(holds)).toBe(true);
    expect(boundsOf([small, await workbench.archive('whole', 60_000_000)]).every(holds)).toBe(false);
  } finally {
    await workbench.close();
  }
}, 120_000);

test('memory above that of the Lambda breaks the bound, flat or not', () => {
  const archived = (peak_mb: number) => ({ bytes: 1, sha256: '', seconds: 1, peak_bytes: peak_mb * 1024 * 1024 });
  expect(boundsOf([archived(510), archived(511)]).every(holds)).toBe(true);
  expect(boundsOf([archived(510), archived(513)]).every(holds)).toBe(false);
  expect(boundsOf([archived(100), archived(126)]).every(holds)).toBe(false);
});
