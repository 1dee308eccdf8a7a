import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { justify } from './acknowledge.ts';

/**
 * Creates a queue for events that could not be delivered or handled. It keeps them for inspection and redelivery for 14 days, the
 * maximum of SQS.
 */
export function deadLetterQueue(scope: Construct): Queue {
  const queue = new Queue(scope, 'DeadLetters', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
  justifyQueueKey(queue);
  return queue;
}

/** Justifies that a queue has no key of the customer. */
export const justifyQueueKey = (queue: Queue): void =>
  justify(queue, 'CKV_AWS_27', 'SQS encrypts it with a key of its own; the setting kmsKeyArn uses another.');
