import * as z from 'zod';
import { arn, resourceType } from '../resource-type.ts';
import { boolean, ignored, number, oneOf, tags, text } from '../schema.ts';

const encrypted = ignored('encryption is up to the local disk');

const corsRule = z.strictObject({
  AllowedHeaders: z.array(text).optional(),
  AllowedMethods: z.array(text),
  AllowedOrigins: z.array(text),
  ExposedHeaders: z.array(text).optional(),
  MaxAge: number().optional(),
});

const keySchema = z.array(z.strictObject({ AttributeName: text, KeyType: oneOf('HASH', 'RANGE') }));

export const storageTypes = {
  'AWS::S3::Bucket': resourceType({
    attributes: { Arn: ({ name }) => `arn:aws:s3:::${name}` },
    properties: z.strictObject({
      BucketEncryption: encrypted,
      CorsConfiguration: z.strictObject({ CorsRules: z.array(corsRule) }).optional(),
      LifecycleConfiguration: ignored('local objects do not expire'),
      LoggingConfiguration: ignored('there are no access logs'),
      NotificationConfiguration: z
        .strictObject({ EventBridgeConfiguration: z.strictObject({ EventBridgeEnabled: boolean }) })
        .optional(),
      OwnershipControls: ignored('one account owns everything'),
      PublicAccessBlockConfiguration: ignored('the endpoint is on the loopback address and has no anonymous access'),
      VersioningConfiguration: z.strictObject({ Status: oneOf('Enabled', 'Suspended') }).optional(),
      ...tags,
    }),
  }),
  'AWS::DynamoDB::Table': resourceType({
    attributes: { Arn: arn('dynamodb', ({ name }) => `table/${name}`) },
    properties: z.strictObject({
      AttributeDefinitions: z.array(z.strictObject({ AttributeName: text, AttributeType: oneOf('S', 'N', 'B') })),
      BillingMode: oneOf('PAY_PER_REQUEST').optional(),
      DeletionProtectionEnabled: ignored('the local runtime never deletes a table'),
      GlobalSecondaryIndexes: z
        .array(
          z.strictObject({
            IndexName: text,
            KeySchema: keySchema,
            Projection: z.strictObject({ ProjectionType: oneOf('ALL', 'KEYS_ONLY') }),
          }),
        )
        .optional(),
      KeySchema: keySchema,
      SSESpecification: encrypted,
      PointInTimeRecoverySpecification: ignored('copy the state directory to back it up'),
      TimeToLiveSpecification: ignored(
        'expired items are kept, as DynamoDB may do for days; readers must check the time',
      ),
      ...tags,
    }),
  }),
  'AWS::SecretsManager::Secret': resourceType({
    ref: arn('secretsmanager', ({ name }) => `secret:${name}-local0`),
    properties: z.strictObject({
      Description: ignored('a description'),
      KmsKeyId: encrypted,
      SecretString: ignored('the value comes from the local settings'),
      GenerateSecretString: z.record(z.string(), z.unknown()).optional(),
      ...tags,
    }),
  }),
};
