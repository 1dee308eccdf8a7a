import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { DropDefaults, DropRules } from '../../functions/shared/environment.ts';
import type { Configuration } from '../config.ts';
import { deadLetterQueue, justifyQueueKey, queueEncryption } from './dead-letters.ts';
import {
  copyResultAccess,
  dispatchAccess,
  type Foundation,
  imageRules,
  loopbackWebhooks,
  requestSettings,
  resultWriterAccess,
  spendingLimit,
  videoRetention,
} from './foundation.ts';
import { type Access, dropQueueAccess, mergeAccess, settings, uploadsAccess, versionsAccess } from './grants.ts';
import { pinLogicalId } from './logical-id.ts';
import { PipelineFunction } from './pipeline-function.ts';

/**
 * Makes videos of images that are uploaded to `drop/` in the uploads bucket. Events that cannot be delivered or handled become
 * dead letters.
 */
export class Drops extends Construct {
  readonly drop: PipelineFunction<'drop'>;
  /** The queue in which images without a prompt wait for their sidecars. */
  readonly waiting: Queue;
  /** The age by which the second delivery of a message must have handled it: its delay, the visibility timeout, and 5 minutes. */
  readonly longestWait: Duration;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, foundation: Foundation) {
    super(scope, id);
    const { configuration, functions, storage, key } = foundation;
    // A manifest may have thousands of lines.
    const timeout = Duration.minutes(15);
    const deadLetters = deadLetterQueue(this, key);
    const waiting = waitQueue(this, timeout, deadLetters, key);
    const drop = new PipelineFunction(this, 'drop', {
      ...functions,
      description: 'Makes videos of images and manifests that are uploaded to the drop folder',
      access: mergeAccess(
        dispatchAccess(foundation, ['GetItem', 'PutItem', 'UpdateItem']),
        uploadsAccess(storage.uploads, ['drop/'], ['GetObject', 'GetObjectVersion']),
        // Inline images of manifests.
        uploadsAccess(storage.uploads, ['inputs/'], ['PutObject']),
        resultWriterAccess(foundation),
        requestSettings(configuration),
        imageRules(configuration),
        spendingLimit(configuration),
        loopbackWebhooks(configuration),
        dropSettings(configuration),
        dropQueueAccess(waiting),
        // An upload of the same image again gets the result of the video that exists.
        copyResultAccess(foundation),
        // To distinguish a continued video that is gone from one without read permission.
        versionsAccess(storage.videos),
        videoRetention(configuration),
      ),
      timeout,
      memory: 512,
      deadLetters,
    });
    this.drop = drop;
    this.deadLetters = deadLetters;
    this.waiting = waiting;
    this.longestWait = Duration.seconds(configuration.drop.sidecarSeconds).plus(timeout).plus(Duration.minutes(5));
    new CfnEventSourceMapping(this, 'WaitQueueEvents', {
      functionName: drop.live.functionArn,
      eventSourceArn: waiting.queueArn,
      batchSize: 1,
      // The minimum of SQS, since a new account has a concurrency of 10 for everything. A drop takes about a second.
      scalingConfig: { maximumConcurrency: 2 },
    });
    new Rule(this, 'ImageDropped', {
      description: 'Invokes drop for each object that is created in the drop folder',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [storage.uploads.bucketName] }, object: { key: [{ prefix: 'drop/' }] } },
      },
      targets: [
        new LambdaFunction(drop.live, {
          deadLetterQueue: deadLetters,
          retryAttempts: 185,
          maxEventAge: Duration.hours(24),
        }),
      ],
    });
  }
}

function dropSettings({ drop }: Configuration): Access<{ DROP_DEFAULTS: string; DROP_RULES: string }> {
  const { sidecarSeconds, copyVideo, owners, ...defaults } = drop;
  const rules: DropRules = { sidecar_seconds: sidecarSeconds, owners };
  return settings({
    DROP_DEFAULTS: JSON.stringify(defaults satisfies DropDefaults),
    DROP_RULES: JSON.stringify(rules),
  });
}

/**
 * Creates the queue of images that wait for their sidecars. Each message has its own delay. A message that fails is delivered
 * again after the visibility timeout. After a day it becomes a dead letter with 13 of its 14 days left, since retention counts
 * from when it was sent.
 *
 * The visibility timeout is the function's timeout, the minimum that Lambda accepts. AWS recommends six times as much, so that an
 * invocation that is throttled for long does not overlap with the next delivery. Here an image takes seconds of these 15 minutes
 * and an overlap makes no second video, while a failed image would wait six times as long.
 */
function waitQueue(scope: Construct, visibilityTimeout: Duration, deadLetters: Queue, key: IKey | undefined): Queue {
  const queue = new Queue(scope, 'WaitQueue', {
    ...queueEncryption(key),
    enforceSSL: true,
    visibilityTimeout,
    retentionPeriod: Duration.days(14),
    // 24 h / 15 min = 96 deliveries
    deadLetterQueue: {
      queue: deadLetters,
      maxReceiveCount: Duration.hours(24).toMinutes() / visibilityTimeout.toMinutes(),
    },
  });
  // Replacing the queue would lose the images in it.
  pinLogicalId(queue, 'DropWaitQueue');
  justifyQueueKey(queue);
  return queue;
}
