import { expect, test } from 'vitest';
import { drops } from '../../bench/burst/drops.ts';
import { burstWithoutQueues } from '../../bench/burst/run-naive.ts';
import { burstThroughPipeline } from '../../bench/burst/run-pipeline.ts';

test('a burst of drops is drained within the limits: none lost, none twice, each with its result, every owner early', async () => {
  const owners = drops(20);
  const burst = await burstThroughPipeline({ seed: 3, videos: 20, task_seconds: 1, extra_permits: 14 });
  expect(burst).toMatchObject({ lost: 0, twice: 0, results: 20, throttled: 0, trouble: [] });
  // Five submits a second, and what a video takes beside them.
  expect(burst.drained_seconds).toBeGreaterThan(4);
  expect(burst.drained_seconds).toBeLessThan(4 + 6);
  expect(burst.firsts.map(({ owner }) => owner)).toEqual(owners.map(({ owner }) => owner));
  for (const { noticed } of burst.firsts) expect(noticed).toBeLessThan(burst.drained_seconds);
}, 60_000);

test('without lanes the same burst meets 429s', async () => {
  const naive = await burstWithoutQueues({ seed: 3, videos: 20, task_seconds: 1 });
  expect(naive.throttled).toBeGreaterThan(0);
}, 60_000);
