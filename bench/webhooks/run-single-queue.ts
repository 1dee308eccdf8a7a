import type { SQSBatchResponse } from 'aws-lambda';
import { createVirtualClock } from '../simulation/clock.ts';
import { simulateEventSource } from '../simulation/event-source.ts';
import { createLatency } from '../simulation/latency.ts';
import { seededRandom } from '../simulation/random.ts';
import { createReceivers, type Receiver } from './receivers.ts';
import { collect, publish, runUntilDrained, START, type WebhookOptions } from './run-webhooks.ts';

/** As the stack's queues. */
const mapping = { batchSize: 10, maximumConcurrency: 2, visibilitySeconds: 180 } as const;

/**
 * Simulates the usual sender: one queue, one function, no table. A delivery that fails stays in the queue and is received again after
 * its visibility timeout.
 */
export async function runSingleQueue(options: WebhookOptions & { maximumConcurrency?: number }) {
  const { maximumConcurrency = mapping.maximumConcurrency } = options;
  const random = seededRandom(options.seed);
  const clock = createVirtualClock(START);
  const latency = createLatency(clock, random);
  const target = createReceivers(clock, START + (options.seconds + options.dead_seconds) * 1000);
  const invoke = (event: { Records: { messageId: string; body: string }[] }): Promise<SQSBatchResponse> =>
    latency('warmStart', async () => undefined).then(async () => {
      const failures = await Promise.all(
        event.Records.map(async ({ messageId, body }) => {
          const { owner, id } = JSON.parse(body) as { owner: Receiver; id: string };
          const { status } = await target.post(owner, id);
          return status ? [] : [{ itemIdentifier: messageId }];
        }),
      );
      return { batchItemFailures: failures.flat() };
    });
  const queue = simulateEventSource({ clock }, { ...mapping, maximumConcurrency, invoke });
  const publishing = publish({ clock, random, target }, options, async ({ owner, id }) => {
    await latency('putEvents', async () => undefined);
    await latency('eventBridge', async () => queue.send(JSON.stringify({ owner, id })));
  });
  const drained_seconds = await runUntilDrained({ clock, target, publishing }, options);
  return { ...collect(target), drained_seconds, longest_queue: queue.counts.longest };
}
