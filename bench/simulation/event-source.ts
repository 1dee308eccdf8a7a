import { randomUUID } from 'node:crypto';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { VirtualClock } from './clock.ts';

interface Message {
  messageId: string;
  body: string;
}

export interface EventSourceOptions {
  batchSize: number;
  maximumConcurrency: number;
  /** When a message is received again that a batch reported as failed. */
  visibilitySeconds: number;
  /** Handles a batch. */
  invoke: (event: Pick<SQSEvent, 'Records'>) => Promise<SQSBatchResponse>;
}

/** Simulates an SQS queue with an event source mapping that reports failed messages of a batch. */
export function simulateEventSource(
  { clock }: { clock: VirtualClock },
  { batchSize, maximumConcurrency, visibilitySeconds, invoke }: EventSourceOptions,
) {
  const ready: Message[] = [];
  /** The position of the next message: removing the first of a long array is slow. */
  let next = 0;
  let running = 0;
  const counts = { sent: 0, batches: 0, longest: 0 };

  function poll(): void {
    while (running < maximumConcurrency && next < ready.length) {
      const batch = ready.slice(next, next + batchSize);
      next += batch.length;
      if (next > 10_000) {
        ready.splice(0, next);
        next = 0;
      }
      running += 1;
      counts.batches += 1;
      void handle(batch).finally(() => {
        running -= 1;
        poll();
      });
    }
  }

  async function handle(batch: Message[]): Promise<void> {
    // The whole batch fails with its invocation.
    const everything = { batchItemFailures: batch.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    const { batchItemFailures } = await invoke({ Records: batch as SQSEvent['Records'] }).catch(() => everything);
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    const again = batch.filter(({ messageId }) => failed.has(messageId));
    if (again.length > 0) void clock.sleep(visibilitySeconds * 1000).then(() => add(again));
  }

  function add(messages: readonly Message[]): void {
    ready.push(...messages);
    counts.longest = Math.max(counts.longest, ready.length - next);
    poll();
  }

  return {
    send(body: string): void {
      counts.sent += 1;
      add([{ messageId: randomUUID(), body }]);
    },
    /** `longest`: the most messages that have waited at the same time. */
    counts: counts as Readonly<typeof counts>,
  };
}
