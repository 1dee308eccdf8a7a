import { randomUUID } from 'node:crypto';
import { region } from '../account.ts';
import type { Clock } from '../clock.ts';
import type { AwsCall } from '../endpoint/aws-call.ts';
import type { FaultInjection } from '../fault-injection.ts';
import { parseObject } from '../json.ts';
import type { Message, Queues } from '../sqs/queues.ts';
import { md5 } from '../sqs/send-message.ts';
import { functionNameOf, type Outcome } from './function-definition.ts';

/** An event source mapping: a queue whose messages invoke a function. */
export interface EventSourceDefinition {
  queue_arn: string;
  /** With or without a qualifier. */
  function_arn: string;
  /** The function's role, with which Lambda receives and deletes messages. */
  role_arn: string;
  /** The maximum number of messages per invocation. */
  batch_size: number;
  /** The maximum number of concurrent invocations. */
  maximum_concurrency: number;
  /** Whether the function names the messages that it could not handle: `ReportBatchItemFailures`. */
  reports_failures: boolean;
}

export interface EventSourceOptions extends EventSourceDefinition {
  clock: Clock;
  queues: Queues;
  invoke(functionArn: string, payload: string): Promise<Outcome>;
  recordCall(call: AwsCall): void;
  faults?: Pick<FaultInjection, 'deliveryDelays'> | undefined;
}

/**
 * Lambda's poller of a queue. Deletes a message after the function has handled it; otherwise the message is received
 * again.
 */
export interface EventSource {
  start(): void;
  /** Resolves when no message is being handled. Delayed and hidden messages do not count. */
  idle(): Promise<void>;
  close(): void;
}

export function createEventSource(options: EventSourceOptions): EventSource {
  const { queue_arn, function_arn, clock, queues } = options;
  const batches = new Set<Promise<void>>();
  let cancelTimer = (): void => undefined;
  let isPolling = false;

  const poll = (): void => {
    cancelTimer();
    while (isPolling && batches.size < options.maximum_concurrency) {
      const visibleAt = queues.visibleAt(queue_arn);
      if (visibleAt === undefined) return;
      if (visibleAt > clock.now()) {
        cancelTimer = clock.after(visibleAt - clock.now(), poll);
        return;
      }
      const batch = handleBatch()
        // The messages stay hidden until their visibility timeout, then they are received again.
        .catch((error: unknown) => console.error(`Could not deliver messages to ${function_arn}:`, error))
        .finally(() => {
          batches.delete(batch);
          poll();
        });
      batches.add(batch);
    }
  };
  const { role_arn: principal, recordCall } = options;
  const record = (operation: string) =>
    recordCall({ at: clock.now(), principal, action: `sqs:${operation}`, resource: queue_arn });
  const handleBatch = async (): Promise<void> => {
    const messages = await queues.receive(queue_arn, options.batch_size);
    if (messages.length === 0) return;
    // Lambda reads the number of messages and their visibility timeout.
    record('GetQueueAttributes');
    record('ReceiveMessage');
    const Records = messages.map((message) => sqsRecord(message, queue_arn));
    const outcome = await invokeFunction(JSON.stringify({ Records }));
    if ('error' in outcome) return;
    const handled = options.reports_failures ? withoutFailures(messages, outcome.payload) : messages;
    if (handled.length === 0) return;
    record('DeleteMessage');
    await queues.delete(queue_arn, handled);
  };
  /** Invokes the function. Fault injection may add deliveries; the first one decides. */
  const invokeFunction = async (payload: string): Promise<Outcome> => {
    const delays = options.faults?.deliveryDelays?.(functionNameOf(function_arn), payload) ?? [0];
    const [first, ...others] = delays.map(async (delay) => {
      if (delay > 0) await new Promise<void>((resolve) => clock.after(delay, resolve));
      return options.invoke(function_arn, payload);
    });
    for (const other of others) other.catch(() => undefined);
    return first!;
  };

  return {
    start() {
      isPolling = true;
      queues.onSent(poll);
      poll();
    },
    async idle() {
      while (batches.size > 0) await Promise.all(batches);
    },
    close() {
      isPolling = false;
      cancelTimer();
    },
  };
}

/** Returns the messages that a function handled. As in Lambda, a response that names an unknown message fails the whole batch. */
function withoutFailures(messages: readonly Message[], payload: string): Message[] {
  const { batchItemFailures } = parseObject(payload) ?? {};
  const failed = (Array.isArray(batchItemFailures) ? batchItemFailures : []).map(
    (failure: { itemIdentifier?: unknown } | null) => failure?.itemIdentifier,
  );
  const isKnown = (id: unknown) => messages.some(({ message_id }) => message_id === id);
  return failed.every(isKnown) ? messages.filter(({ message_id }) => !failed.includes(message_id)) : [];
}

/** A message in the function's event. */
function sqsRecord(message: Message, queueArn: string): object {
  const { message_id, body, sent_at, first_received_at, receive_count } = message;
  return {
    messageId: message_id,
    receiptHandle: randomUUID(),
    body,
    attributes: {
      ApproximateReceiveCount: String(receive_count),
      SentTimestamp: String(sent_at),
      SenderId: 'local',
      ApproximateFirstReceiveTimestamp: String(first_received_at),
    },
    // The local SendMessage does not support message attributes.
    messageAttributes: {},
    md5OfBody: md5(body),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}
