/** A statement of a key's policy. */
interface KeyStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Principal: { readonly AWS: string } | { readonly Service: string | readonly string[] };
  readonly Action: string | readonly string[];
  readonly Resource: '*';
  readonly Condition?: object;
}

/**
 * Returns the statements that the policy of the operator's key must have: CloudFormation cannot change the policy of a key that is not
 * the stack's, and services act in their own name where no role of the stack does.
 */
export const requiredKeyStatements = (account: string, region: string, partition = 'aws'): readonly KeyStatement[] => [
  {
    // Lets the policies of the stack's roles, and of its deployer, allow the use of the key.
    Sid: 'AllowByIam',
    Effect: 'Allow',
    Principal: { AWS: `arn:${partition}:iam::${account}:root` },
    Action: 'kms:*',
    Resource: '*',
  },
  {
    // Dead letters of EventBridge, and alarms. Neither service documents a condition that it satisfies for the key.
    Sid: 'DeliverDeadLettersAndAlarms',
    Effect: 'Allow',
    Principal: { Service: ['events.amazonaws.com', 'cloudwatch.amazonaws.com'] },
    Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
    Resource: '*',
  },
  {
    Sid: 'EncryptLogs',
    Effect: 'Allow',
    Principal: { Service: `logs.${region}.amazonaws.com` },
    Action: ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
    Resource: '*',
    Condition: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:*` } },
  },
];
