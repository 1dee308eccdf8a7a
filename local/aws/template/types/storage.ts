import { arn, resourceType, tags } from '../resource-type.ts';
import { boolean, inert, list, number, object, oneOf, optional, text } from '../schema.ts';

const corsRule = object({
  AllowedHeaders: optional(list(text)),
  AllowedMethods: list(text),
  AllowedOrigins: list(text),
  ExposedHeaders: optional(list(text)),
  Id: optional(text),
  MaxAge: optional(number()),
});

const attributeKey = object({ AttributeName: text, KeyType: oneOf('HASH', 'RANGE') });
const projection = object({
  ProjectionType: oneOf('ALL', 'KEYS_ONLY', 'INCLUDE'),
  NonKeyAttributes: optional(list(text)),
});

const globalIndex = object({
  ContributorInsightsSpecification: inert('there are no metrics'),
  IndexName: text,
  KeySchema: list(attributeKey),
  Projection: projection,
});

export const storageTypes = {
  'AWS::S3::Bucket': resourceType({
    name_property: 'BucketName',
    ref: ({ name }) => name,
    attributes: {
      Arn: ({ name }) => `arn:aws:s3:::${name}`,
      DomainName: ({ name }) => `${name}.s3.amazonaws.com`,
      RegionalDomainName: ({ name, region }) => `${name}.s3.${region}.amazonaws.com`,
    },
    properties: object({
      BucketEncryption: inert('files on this machine are as encrypted as its disk'),
      BucketName: optional(text),
      CorsConfiguration: optional(object({ CorsRules: list(corsRule) })),
      LifecycleConfiguration: inert('nothing on this machine is expired behind your back'),
      LoggingConfiguration: inert('there are no access logs'),
      NotificationConfiguration: optional(
        object({
          EventBridgeConfiguration: optional(object({ EventBridgeEnabled: optional(boolean) })),
        }),
      ),
      OwnershipControls: inert('one account owns everything'),
      PublicAccessBlockConfiguration: inert(
        'the endpoint listens on the loopback address and knows no anonymous access',
      ),
      Tags: tags,
      VersioningConfiguration: optional(object({ Status: oneOf('Enabled', 'Suspended') })),
    }),
  }),
  'AWS::S3::BucketPolicy': resourceType({
    ref: ({ name }) => name,
    attributes: {},
    properties: object({
      Bucket: inert('policies are not evaluated at run time; a test replays the calls against them'),
      PolicyDocument: inert('policies are not evaluated at run time; a test replays the calls against them'),
    }),
  }),
  'AWS::DynamoDB::Table': resourceType({
    name_property: 'TableName',
    ref: ({ name }) => name,
    attributes: { Arn: arn('dynamodb', ({ name }) => `table/${name}`) },
    properties: object({
      AttributeDefinitions: list(object({ AttributeName: text, AttributeType: oneOf('S', 'N', 'B') })),
      BillingMode: optional(oneOf('PAY_PER_REQUEST', 'PROVISIONED')),
      ContributorInsightsSpecification: inert('there are no metrics'),
      DeletionProtectionEnabled: inert('the local runtime deletes no table'),
      GlobalSecondaryIndexes: optional(list(globalIndex)),
      KeySchema: list(attributeKey),
      PointInTimeRecoverySpecification: inert('copy the state directory to keep a point in time'),
      SSESpecification: inert('files on this machine are as encrypted as its disk'),
      TableClass: inert('a price, not a behaviour'),
      TableName: optional(text),
      Tags: tags,
      TimeToLiveSpecification: inert(
        'expired items stay, as DynamoDB lets them for days; readers must look at the time',
      ),
    }),
  }),
  'AWS::SecretsManager::Secret': resourceType({
    name_property: 'Name',
    ref: arn('secretsmanager', ({ name }) => `secret:${name}-local0`),
    attributes: { Id: arn('secretsmanager', ({ name }) => `secret:${name}-local0`) },
    properties: object({
      Description: inert('a description'),
      GenerateSecretString: inert('the value is given by the settings of the local runtime'),
      KmsKeyId: inert('files on this machine are as encrypted as its disk'),
      Name: optional(text),
      SecretString: inert('the value is given by the settings of the local runtime'),
      Tags: tags,
    }),
  }),
};
