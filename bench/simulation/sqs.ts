import { randomUUID } from 'node:crypto';
import type { SendMessageCommandInput, SQSClient } from '@aws-sdk/client-sqs';
import type { VirtualClock } from './clock.ts';
import type { Latency } from './latency.ts';

/**
 * A queue by the virtual clock. What fails is tried again as an asynchronous invocation is: sooner than by the queue's visibility timeout.
 * @param deliver hands over a message when its delay is over
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
