import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { CfnEventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { DropDefaults, DropRules } from '../../functions/shared/environment.ts';
import type { Configuration } from '../config.ts';
import { deadLetterQueue } from './dead-letters.ts';
import {
  copyResultAccess,
  dispatchAccess,
  type Foundation,
  requestSettings,
  resultWriterAccess,
  spendingLimit,
} from './foundation.ts';
import { type Access, dropQueueAccess, mergeAccess, settings, uploadsAccess } from './grants.ts';
import { pinLogicalId } from './logical-id.ts';
import { PipelineFunction } from './pipeline-function.ts';

/** An image put below `drop/` of the uploads bucket becomes a video; an event that cannot be delivered or handled is kept. */
export class Drops extends Construct {
  readonly drop: PipelineFunction<'drop'>;
  /** In which an image without a prompt of its own waits for its sidecar. */
  readonly waiting: Queue;
  /** A message that is older was not handled by its second delivery: its delay, the visibility timeout, and some minutes. */
  readonly longestWait: Duration;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, foundation: Foundation) {
    super(scope, id);
    const { configuration, functions, storage } = foundation;
    // A manifest may have thousands of lines.
    const timeout = Duration.minutes(15);
    const deadLetters = deadLetterQueue(this);
    const waiting = waitQueue(this, timeout, deadLetters);
    const drop = new PipelineFunction(this, 'drop', {
      ...functions,
      description: 'Makes a video of an image that was put into the drop folder, and videos of a manifest',
      access: mergeAccess(
        dispatchAccess(foundation, ['GetItem', 'PutItem', 'UpdateItem']),
        uploadsAccess(storage.uploads, ['drop/'], ['GetObject', 'GetObjectVersion']),
        // Pictures that a manifest holds itself.
        uploadsAccess(storage.uploads, ['inputs/'], ['PutObject']),
        resultWriterAccess(foundation),
        requestSettings(configuration),
        spendingLimit(configuration),
        dropSettings(configuration),
        dropQueueAccess(waiting),
        // An upload of the same image again gets the result of the video that exists.
        copyResultAccess(foundation),
      ),
      timeout,
      memory: 512,
      deadLetters,
    });
    this.drop = drop;
    this.deadLetters = deadLetters;
    this.waiting = waiting;
    this.longestWait = Duration.seconds(configuration.drop.sidecarSeconds).plus(timeout).plus(Duration.minutes(5));
    new CfnEventSourceMapping(this, 'Waited', {
      functionName: drop.live.functionArn,
      eventSourceArn: waiting.queueArn,
      batchSize: 1,
      // Of the 1,000 functions that an account may run at once; a drop takes about a second, so 1,000 of them take 20 s.
      scalingConfig: { maximumConcurrency: 50 },
    });
    new Rule(this, 'ImageDropped', {
      description: 'An object was put into the drop folder',
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
 * The queue of images that wait for their sidecars: each message has a delay of its own. One that fails comes again when its visibility
 * timeout is over, and after a day it is a dead letter, which then has 13 of its 14 days left: they count from when it was sent.
 *
 * The visibility timeout is the function's timeout, the least that Lambda takes. AWS advises six times as much, so that an invocation
 * that is throttled for long does not overlap with the next delivery; an image takes seconds of these 15 minutes, and an overlap makes
 * no second video, while a failed image would wait for six times as long.
 */
function waitQueue(scope: Construct, visibilityTimeout: Duration, deadLetters: Queue): Queue {
  const queue = new Queue(scope, 'WaitQueue', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    visibilityTimeout,
    retentionPeriod: Duration.days(14),
    // 24 h / 15 min = 96 deliveries.
    deadLetterQueue: {
      queue: deadLetters,
      maxReceiveCount: Duration.hours(24).toMinutes() / visibilityTimeout.toMinutes(),
    },
  });
  // Whatever replaces it would lose the images in it.
  pinLogicalId(queue, 'DropWaitQueue');
  return queue;
}
