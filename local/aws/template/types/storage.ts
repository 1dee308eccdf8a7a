import { arn, resourceType } from '../resource-type.ts';
import { boolean, inert, list, number, object, oneOf, optional, text } from '../schema.ts';

const encrypted = inert('files on this machine are as encrypted as its disk');

const corsRule = object({
  AllowedHeaders: optional(list(text)),
  AllowedMethods: list(text),
  AllowedOrigins: list(text),
  ExposedHeaders: optional(list(text)),
  MaxAge: optional(number()),
});

const keySchema = list(object({ AttributeName: text, KeyType: oneOf('HASH', 'RANGE') }));

export const storageTypes = {
  'AWS::S3::Bucket': resourceType({
    attributes: { Arn: ({ name }) => `arn:aws:s3:::${name}` },
    properties: object({
      BucketEncryption: encrypted,
      CorsConfiguration: optional(object({ CorsRules: list(corsRule) })),
      LifecycleConfiguration: inert('nothing on this machine is expired behind your back'),
      NotificationConfiguration: optional(
        object({ EventBridgeConfiguration: object({ EventBridgeEnabled: boolean }) }),
      ),
      OwnershipControls: inert('one account owns everything'),
      PublicAccessBlockConfiguration: inert(
        'the endpoint listens on the loopback address and knows no anonymous access',
      ),
      VersioningConfiguration: optional(object({ Status: oneOf('Enabled', 'Suspended') })),
    }),
  }),
  'AWS::DynamoDB::Table': resourceType({
    attributes: { Arn: arn('dynamodb', ({ name }) => `table/${name}`) },
    properties: object({
      AttributeDefinitions: list(object({ AttributeName: text, AttributeType: oneOf('S', 'N', 'B') })),
      BillingMode: optional(oneOf('PAY_PER_REQUEST')),
      DeletionProtectionEnabled: inert('the local runtime deletes no table'),
      GlobalSecondaryIndexes: optional(
        list(
          object({
            IndexName: text,
            KeySchema: keySchema,
            Projection: object({ ProjectionType: oneOf('ALL', 'KEYS_ONLY') }),
          }),
        ),
      ),
      KeySchema: keySchema,
      PointInTimeRecoverySpecification: inert('copy the state directory to keep a point in time'),
      TimeToLiveSpecification: inert(
        'expired items stay, as DynamoDB lets them for days; readers must look at the time',
      ),
    }),
  }),
  'AWS::SecretsManager::Secret': resourceType({
    ref: arn('secretsmanager', ({ name }) => `secret:${name}-local0`),
    properties: object({
      Description: inert('a description'),
      SecretString: inert('the value is given by the settings of the local runtime'),
    }),
  }),
};
