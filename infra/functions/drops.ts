import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { DropDefaults, DropRules } from '../../functions/shared/environment.ts';
import type { Configuration } from '../config.ts';
import { dropWait } from '../workflow/drop-wait.ts';
import { deadLetterQueue } from './dead-letters.ts';
import { dispatchingAccess, type Foundation, requestSettings, spendingLimit, tellingAccess } from './foundation.ts';
import { type Access, settings, startAccess, together, uploadsAccess } from './grants.ts';
import { PipelineFunction } from './pipeline-function.ts';

/** An image put below `drop/` of the uploads bucket becomes a video; an event that cannot be delivered or handled is kept. */
export class Drops extends Construct {
  readonly drop: PipelineFunction<'drop'>;
  /** By which a drop waits for its sidecar. */
  readonly wait: StateMachine;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, foundation: Foundation) {
    super(scope, id);
    const { configuration, functions, storage } = foundation;
    const deadLetters = deadLetterQueue(this);
    const drop = new PipelineFunction(this, 'DropFunction', {
      ...functions,
      name: 'drop',
      description: 'Makes a video of an image that was put into the drop folder, and videos of a manifest',
      access: together(
        dispatchingAccess(foundation, ['GetItem', 'PutItem', 'UpdateItem']),
        uploadsAccess(storage.uploads, ['drop/'], ['GetObject', 'GetObjectVersion']),
        // Pictures that a manifest holds itself.
        uploadsAccess(storage.uploads, ['inputs/'], ['PutObject']),
        tellingAccess(foundation),
        requestSettings(configuration),
        spendingLimit(configuration),
        dropSettings(configuration),
        waitAccess(foundation.dropWait.arn),
      ),
      // A manifest may have thousands of lines.
      timeout: Duration.minutes(15),
      memory: 512,
      deadLetters,
    });
    this.drop = drop;
    this.deadLetters = deadLetters;
    this.wait = dropWait(this, foundation, drop);
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

/** Having a drop wait for its sidecar. */
const waitAccess = (arn: string): Access<{ DROP_WAIT_ARN: string }> => ({
  ...startAccess(arn),
  environment: { DROP_WAIT_ARN: arn },
});
