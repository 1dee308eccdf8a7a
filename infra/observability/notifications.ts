import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

export interface NotificationsProps {
  /** The address that receives alarms. @default - no subscription */
  readonly email?: string | undefined;
  /** @default - a key of the stack */
  readonly key?: IKey | undefined;
}

/** The topic of the alarms. It is encrypted, and only alarms of this account can publish to it, only over TLS. */
export class Notifications extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { email, key }: NotificationsProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', {
      displayName: Stack.of(this).stackName,
      masterKey: key ?? notificationsKey(this),
      enforceSSL: true,
    });
    // Replaces the default policy, which allows the whole account to publish.
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (email) this.topic.addSubscription(new EmailSubscription(email));
  }
}

/**
 * Creates a customer managed key: the policy of the AWS managed key for SNS does not let alarms use it, so their notifications
 * would fail. It only encrypts messages in transit, so nothing is lost when it is deleted with the stack.
 */
function notificationsKey(scope: Construct): Key {
  const key = new Key(scope, 'Key', {
    description: 'Encrypts the alarm notifications of firstframe until they are delivered',
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
    }),
  );
  return key;
}
