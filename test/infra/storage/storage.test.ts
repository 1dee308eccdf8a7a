import { beforeAll, describe, expect, test } from 'vitest';
import type { Synthesis } from '../../../infra/synth/synthesize.ts';
import { type Found, flatten, resourcesOf, synthesizeStandIns } from '../support.ts';

let synthesis: Synthesis;
beforeAll(async () => {
  synthesis = await synthesizeStandIns();
});

const all = (type: string): Found[] => resourcesOf(synthesis.template, type);

describe('storage', () => {
  test.each([
    ['UploadsBucket', 'AWS::S3::Bucket', 'RetainExceptOnCreate'],
    ['VideosBucket', 'AWS::S3::Bucket', 'RetainExceptOnCreate'],
    ['WanApiKey', 'AWS::SecretsManager::Secret', 'RetainExceptOnCreate'],
    // A rollback cannot delete a table with deletion protection.
    ['VideosTable', 'AWS::DynamoDB::Table', 'Retain'],
  ])('%s keeps its logical id, and is retained when the stack is deleted', (id, Type, DeletionPolicy) => {
    expect(synthesis.template.Resources[id]).toMatchObject({ Type, DeletionPolicy, UpdateReplacePolicy: 'Retain' });
  });

  test('can be deleted with the stack', async () => {
    const { template } = await synthesizeStandIns({ removalPolicy: 'destroy' });
    for (const id of ['UploadsBucket', 'VideosBucket', 'VideosTable', 'WanApiKey']) {
      expect(template.Resources[id]!.DeletionPolicy).toBe('Delete');
    }
    expect(template.Resources.VideosTable!.Properties).toMatchObject({ DeletionProtectionEnabled: false });
  });

  test('is complete: another bucket, table or secret needs its own line here', () => {
    const stateful = [
      'AWS::S3::Bucket',
      'AWS::DynamoDB::Table',
      'AWS::SecretsManager::Secret',
      'AWS::StepFunctions::StateMachine',
      // Messages of DropWaitQueue are stored nowhere else; a delivery of a webhook is an item of the table.
      'AWS::SQS::Queue',
    ];
    const ids = stateful.flatMap((type) => all(type).map(({ id }) => id)).filter((id) => !/DeadLetters/.test(id));
    expect(ids.sort()).toEqual(
      [
        'DropWaitQueue',
        'FileLinkKey',
        'SlowWebhookQueue',
        'WebhookKey',
        'WebhookQueue',
        'StateMachine',
        'UploadsBucket',
        'VideosBucket',
        'VideosTable',
        'WanApiKey',
      ].sort(),
    );
  });

  test('is versioned, encrypted, private and only reachable over TLS', () => {
    for (const { id, properties } of all('AWS::S3::Bucket')) {
      expect(properties).toMatchObject({
        VersioningConfiguration: { Status: 'Enabled' },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      });
      expect(properties.LifecycleConfiguration.Rules).toContainEqual({
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        NoncurrentVersionExpiration: { NoncurrentDays: 90 },
        ExpiredObjectDeleteMarker: true,
        Status: 'Enabled',
      });
      const policy = all('AWS::S3::BucketPolicy').find(({ properties: { Bucket } }) => flatten(Bucket) === `<${id}>`)!;
      expect(policy.properties.PolicyDocument.Statement).toContainEqual(
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      );
    }
  });

  test('has the table that the records need, with recovery and protection', () => {
    expect(all('AWS::DynamoDB::Table')[0]!.properties).toMatchObject({
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by_owner',
          KeySchema: [{ AttributeName: 'owner' }, { AttributeName: 'created_at_id' }],
          Projection: { ProjectionType: 'ALL' },
        },
        {
          IndexName: 'by_status',
          KeySchema: [{ AttributeName: 'open_status' }, { AttributeName: 'open_order' }],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    });
  });

  test('keeps uploads for two days, and old versions of uploads and media for a day', () => {
    const { Rules } = (synthesis.template.Resources.UploadsBucket!.Properties as Found['properties'])
      .LifecycleConfiguration;
    const below = (prefix: string) => Rules.filter(({ Prefix }: { Prefix?: string }) => Prefix === prefix);
    const oneDay = { NoncurrentVersionExpiration: { NoncurrentDays: 1 }, Status: 'Enabled' };
    expect(below('uploads/')).toEqual([{ Prefix: 'uploads/', ExpirationInDays: 2, ...oneDay }]);
    expect(below('inputs/')).toEqual([{ Prefix: 'inputs/', ...oneDay }]);
    // Drops and videos do not expire.
    const expiring = all('AWS::S3::Bucket').flatMap(({ properties }) =>
      properties.LifecycleConfiguration.Rules.filter((rule: object) => 'ExpirationInDays' in rule),
    );
    expect(expiring).toHaveLength(1);
  });

  test('allows pages of any origin to use both buckets with a signature', () => {
    const cors = all('AWS::S3::Bucket').map(({ id, properties }) => [id, properties.CorsConfiguration?.CorsRules]);
    expect(Object.fromEntries(cors)).toEqual({
      UploadsBucket: [
        { AllowedMethods: ['POST', 'GET'], AllowedOrigins: ['*'], ExposedHeaders: ['ETag'], MaxAge: 3600 },
      ],
      VideosBucket: [
        {
          AllowedMethods: ['GET', 'HEAD'],
          AllowedHeaders: ['*'],
          AllowedOrigins: ['*'],
          ExposedHeaders: ['ETag', 'Content-Range', 'Accept-Ranges'],
          MaxAge: 3600,
        },
      ],
    });
  });

  test('has only a placeholder for the Wan key in the template', () => {
    expect(all('AWS::SecretsManager::Secret')[0]!.properties.SecretString).toBe('unset');
  });
});
