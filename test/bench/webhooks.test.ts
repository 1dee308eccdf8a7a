import { expect, test } from 'vitest';
import { isWithin } from '../../bench/bounds.ts';
import { runSingleQueue } from '../../bench/webhooks/run-single-queue.ts';
import { runWebhooks } from '../../bench/webhooks/run-webhooks.ts';
import { boundsOf } from '../../bench/webhooks/webhooks.ts';

const options = { seed: 3, events_per_second: 30, seconds: 12, dead_seconds: 300, drain_seconds: 3600 };

test('delivers to a live receiver in time while another is dead and a third is slow, and to those later', async () => {
  const result = await runWebhooks(options);
  expect(result.published).toEqual({ live: 120, slow: 120, dead: 120 });
  expect(boundsOf(result, options).filter((bound) => !isWithin(bound))).toEqual([]);
  expect(result.attempts_while_dead).toBeGreaterThan(0);
  expect(result.drained_seconds).toBeLessThan(options.drain_seconds);
}, 120_000);

test('the live receiver waits for the others when all share one queue', async () => {
  const { delays } = await runSingleQueue(options);
  expect(delays.live[Math.floor(0.95 * delays.live.length)]).toBeGreaterThan(60_000);
});
