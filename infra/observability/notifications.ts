import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

export interface NotificationsProps {
  /** Who is written to. @default - nobody until somebody subscribes to the topic */
  readonly email?: string | undefined;
}

/** The topic that alarms speak to: encrypted, spoken to over TLS alone, and by the alarms of this account alone. */
export class Notifications extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { email }: NotificationsProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', {
      displayName: 'firstframe',
      masterKey: notificationsKey(this),
      enforceSSL: true,
    });
    // A policy of its own takes the place of the one by which the whole account may publish.
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
 * A key of our own, since the policy of the one that AWS keeps for SNS lets no alarm use it: an alarm would ring and nobody would
 * hear. It protects messages on their way, so nothing is lost when it goes with the stack.
 */
function notificationsKey(scope: Construct): Key {
  const key = new Key(scope, 'Key', {
    description: 'Encrypts what the alarms of firstframe say until it is delivered',
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
