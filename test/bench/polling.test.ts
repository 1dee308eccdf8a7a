import { expect, test } from 'vitest';
import { isWithin } from '../../bench/bounds.ts';
import { durationDistributions } from '../../bench/polling/durations.ts';
import { everyFifteenSeconds, followSchedule, sdkInterval } from '../../bench/polling/fixed-schedules.ts';
import { boundsOf, cases, compare } from '../../bench/polling/polling.ts';

const few = cases.find(({ permits }) => permits === 7)!;

test('notices the end of tasks within the bounds of the bench', async () => {
  const comparison = await compare(durationDistributions.narrow, { ...few, seed: 3, videos: 24 });
  expect(boundsOf(comparison).filter((bound) => !isWithin(bound))).toEqual([]);
}, 60_000);

test("simulates the SDKs' schedule and a fixed interval", () => {
  // 1, 2, 3, 5, 7, 9, 13, 17, 21, 26 s.
  expect(followSchedule(sdkInterval, [25], 1)).toMatchObject({ median_lag: 1, queries_per_video: 10 });
  expect(followSchedule(everyFifteenSeconds, [25, 40], 1)).toMatchObject({ p95_lag: 5, queries_per_video: 2.5 });
});
