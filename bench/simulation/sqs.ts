import { randomUUID } from 'node:crypto';
import type { SendMessageCommandInput, SQSClient } from '@aws-sdk/client-sqs';
import type { VirtualClock } from './clock.ts';
import type { Latency } from './latency.ts';

/**
 * Simulates a queue on the virtual clock. A failed message is retried like an asynchronous invocation, sooner than after the
 * queue's visibility timeout.
 * @param deliver called with the event of a message after its delay
 */
export function simulateSqs(
  { clock, latency }: { clock: VirtualClock; latency: Latency },
  deliver: (event: object) => void,
): Pick<SQSClient, 'send'> {
  const send = ({ input }: { input: SendMessageCommandInput }) =>
    latency('sqs', async () => {
      const { MessageBody: body, DelaySeconds = 0 } = input;
      const messageId = randomUUID();
      void clock
        .sleep(DelaySeconds * 1000)
        .then(() => deliver({ Records: [{ messageId, body, eventSource: 'aws:sqs' }] }));
      return { MessageId: messageId };
    });
  return { send } as Pick<SQSClient, 'send'>;
}
