import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { deadLetterQueue } from './dead-letters.ts';
import { dispatchingAccess, type Foundation, requestSettings } from './foundation.ts';
import { settings, together, uploadsAccess, uploadsListAccess } from './grants.ts';
import { PipelineFunction } from './pipeline-function.ts';

/** An image put below `drop/` of the uploads bucket becomes a video; an event that cannot be delivered or handled is kept. */
export class Drops extends Construct {
  constructor(scope: Construct, id: string, foundation: Foundation) {
    super(scope, id);
    const { configuration, functions, storage } = foundation;
    const deadLetters = deadLetterQueue(this);
    const drop = new PipelineFunction(this, 'DropFunction', {
      ...functions,
      name: 'drop',
      description: 'Makes a video of an image that was put into the drop folder',
      access: together(
        dispatchingAccess(foundation, ['GetItem', 'PutItem', 'UpdateItem']),
        uploadsAccess(storage.uploads, ['drop/'], ['GetObject', 'GetObjectVersion']),
        uploadsListAccess(storage.uploads),
        requestSettings(configuration),
        settings({ DROP_DEFAULTS: JSON.stringify(configuration.drop) }),
      ),
      timeout: Duration.minutes(1),
      memory: 512,
      deadLetters,
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
