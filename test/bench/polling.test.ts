import { expect, test } from 'vitest';
import { spreads } from '../../bench/polling/durations.ts';
import { everyFifteenSeconds, followSchedule, sdkInterval } from '../../bench/polling/fixed-schedules.ts';
import { boundsOf, cases, compare } from '../../bench/polling/polling.ts';
import { holds } from '../../bench/verdict.ts';

const few = cases.find(({ permits }) => permits === 7)!;

test('endings are noticed as the bench demands', async () => {
  const comparison = await compare(spreads.narrow, { ...few, seed: 3, videos: 24 });
  expect(boundsOf(comparison).filter((bound) => !holds(bound))).toEqual([]);
}, 60_000);

test("the SDKs' schedule asks as they do, and a fixed one at its interval", () => {
  // 1, 2, 3, 5, 7, 9, 13, 17, 21, 26 s.
  expect(followSchedule(sdkInterval, [25], 1)).toMatchObject({ median_lag: 1, queries_per_video: 10 });
  expect(followSchedule(everyFifteenSeconds, [25, 40], 1)).toMatchObject({ p95_lag: 5, queries_per_video: 2.5 });
});
