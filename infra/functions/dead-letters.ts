import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { justify } from './acknowledge.ts';

/**
 * Creates a queue for events that could not be delivered or handled. It keeps them for inspection and redelivery for 14 days, the
 * maximum of SQS.
 */
export function deadLetterQueue(scope: Construct, key: IKey | undefined): Queue {
  const queue = new Queue(scope, 'DeadLetters', {
    ...queueEncryption(key),
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
  justifyQueueKey(queue);
  return queue;
}

/** Encryption of a queue with the operator's key, if there is one. */
export const queueEncryption = (key: IKey | undefined): Pick<QueueProps, 'encryption' | 'encryptionMasterKey'> =>
  key ? { encryption: QueueEncryption.KMS, encryptionMasterKey: key } : { encryption: QueueEncryption.SQS_MANAGED };

/** Justifies that a queue has no key of the operator. */
export const justifyQueueKey = (queue: Queue): void =>
  justify(
    queue,
    'CKV_AWS_27',
    'SQS encrypts it with a key of its own; the setting kmsKeyArn uses another.',
    'kmsMasterKeyId',
  );
