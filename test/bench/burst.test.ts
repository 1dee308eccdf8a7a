import { expect, test } from 'vitest';
import { drops } from '../../bench/burst/drops.ts';
import { runNaiveBurst } from '../../bench/burst/run-naive.ts';
import { runPipelineBurst } from '../../bench/burst/run-pipeline.ts';

test('drains a burst of drops within the limits, without lost videos or duplicate tasks, with results, and fairly', async () => {
  const owners = drops(20);
  const burst = await runPipelineBurst({ seed: 3, videos: 20, task_seconds: 1, extra_permits: 14 });
  expect(burst).toMatchObject({ lost: 0, duplicate_tasks: 0, results: 20, throttled: 0, unhandledErrors: [] });
  // Five submissions per second, plus the duration of one video.
  expect(burst.drained_seconds).toBeGreaterThan(4);
  expect(burst.drained_seconds).toBeLessThan(4 + 7);
  expect(burst.first_videos.map(({ owner }) => owner)).toEqual(owners.map(({ owner }) => owner));
  for (const { noticed } of burst.first_videos) expect(noticed).toBeLessThan(burst.drained_seconds);
}, 60_000);

test('gets 429s for the same burst without model queues', async () => {
  const naive = await runNaiveBurst({ seed: 3, videos: 20, task_seconds: 1 });
  expect(naive.throttled).toBeGreaterThan(0);
}, 60_000);
