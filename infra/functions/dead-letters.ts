import { Duration } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/**
 * Creates a queue for events that could not be delivered or handled. It keeps them for inspection and redelivery for 14 days, the
 * maximum of SQS.
 */
export function deadLetterQueue(scope: Construct, key: IKey | undefined): Queue {
  return new Queue(scope, 'DeadLetters', {
    ...queueEncryption(key),
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
}

/** Encryption of a queue with the operator's key, if there is one. */
export const queueEncryption = (key: IKey | undefined): Pick<QueueProps, 'encryption' | 'encryptionMasterKey'> =>
  key ? { encryption: QueueEncryption.KMS, encryptionMasterKey: key } : { encryption: QueueEncryption.SQS_MANAGED };
