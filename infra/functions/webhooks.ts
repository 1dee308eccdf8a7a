import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deadLetterQueue, justifyQueueKey, queueEncryption } from './dead-letters.ts';
import { type Foundation, loopbackWebhooks } from './foundation.ts';
import { mergeAccess, receiveAccess, slowQueueAccess, tableAccess, webhookSecretAccess } from './grants.ts';
import { pinLogicalId } from './logical-id.ts';
import { PipelineFunction } from './pipeline-function.ts';

/** An attempt takes at most 10 s, and all of a batch run concurrently. */
const timeout = Duration.seconds(30);

/**
 * Sends events of videos to webhooks. A delivery is an item of the table; a message only reports that it is due. The dispatch function
 * replaces a lost or expired message, so a queue that loses its messages delays deliveries and loses none.
 */
export class Webhooks extends Construct {
  readonly deliver: PipelineFunction<'deliver'>;
  /** The queue of deliveries that are due. */
  readonly queue: Queue;
  /** The queue of deliveries to receivers that failed last or are slow, so that the others never wait for them. */
  readonly slowQueue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, foundation: Omit<Foundation, 'webhookQueue'>) {
    super(scope, id);
    const { configuration, eventBus, functions, key, storage, webhookSecret } = foundation;
    this.deadLetters = deadLetterQueue(this, key);
    const [queue, slowQueue] = (['WebhookQueue', 'SlowWebhookQueue'] as const).map((name) => {
      const created = new Queue(this, name, {
        ...queueEncryption(key),
        enforceSSL: true,
        // Six times the function's timeout, as AWS recommends: an invocation that Lambda throttles does not overlap with the next delivery.
        visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()),
        // As long as a delivery is tried.
        retentionPeriod: Duration.days(1),
        // 20 times 3 minutes: an hour in which the table, SQS or the secret could not be reached.
        deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 20 },
      });
      pinLogicalId(created, name);
      justifyQueueKey(created);
      return created;
    }) as [Queue, Queue];
    this.queue = queue;
    this.slowQueue = slowQueue;
    this.deliver = new PipelineFunction(this, 'deliver', {
      ...functions,
      description: 'Sends events of videos to webhooks',
      access: mergeAccess(
        tableAccess(storage.table, ['GetItem', 'UpdateItem']),
        receiveAccess(queue),
        receiveAccess(slowQueue),
        slowQueueAccess(slowQueue),
        webhookSecretAccess(webhookSecret),
        loopbackWebhooks(configuration),
      ),
      timeout,
      // Each of a batch's ten deliveries takes about 10 ms of a whole CPU, for a TLS connection and eight calls of AWS: 0.7 s with 256 MB.
      memory: 1024,
      noDeadLetters: 'Only its queues invoke it, and they have dead letters.',
    });
    for (const [name, source] of [
      ['Deliveries', queue],
      ['SlowDeliveries', slowQueue],
    ] as const)
      new CfnEventSourceMapping(this, name, {
        functionName: this.deliver.live.functionArn,
        eventSourceArn: source.queueArn,
        batchSize: 10,
        functionResponseTypes: ['ReportBatchItemFailures'],
        // The minimum of SQS, since a new account has a concurrency of 10 for everything. Two batches are 20 concurrent attempts.
        scalingConfig: { maximumConcurrency: 2 },
      });
    new Rule(this, 'WebhookWanted', {
      eventBus,
      description: 'Queues each event that a webhook wants',
      eventPattern: { source: ['firstframe'], detail: { webhook: [true] } },
      targets: [
        new SqsQueue(queue, {
          deadLetterQueue: this.deadLetters,
          retryAttempts: 185,
          maxEventAge: Duration.hours(24),
        }),
      ],
    });
  }
}
