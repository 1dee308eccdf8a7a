import { beforeAll, describe, expect, test } from 'vitest';
import { environments, type FunctionName } from '../../functions/shared/environment.ts';
import { type Synthesis, synthesize } from '../../infra/synthesize.ts';
import {
  type Found,
  flatten,
  functionNames,
  listOf,
  resourcesOf,
  standInBundles,
  synthesizeStandIns,
} from './support.ts';

let synthesis: Synthesis;
beforeAll(async () => {
  synthesis = await synthesizeStandIns();
});

const all = (type: string): Found[] => resourcesOf(synthesis.template, type);
const functionNamed = (name: FunctionName): Found =>
  all('AWS::Lambda::Function').find(({ id }) => synthesis.functions[id]!.name === name)!;

describe('what holds data', () => {
  test.each([
    ['UploadsBucket', 'AWS::S3::Bucket'],
    ['VideosBucket', 'AWS::S3::Bucket'],
    ['VideosTable', 'AWS::DynamoDB::Table'],
    ['WanApiKey', 'AWS::SecretsManager::Secret'],
  ])('%s keeps its logical id, and stays when the stack goes', (id, Type) => {
    expect(synthesis.template.Resources[id]).toMatchObject({
      Type,
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
  });

  test('can be told to go with the stack', async () => {
    const { template } = await synthesizeStandIns({ removalPolicy: 'destroy' });
    for (const id of ['UploadsBucket', 'VideosBucket', 'VideosTable', 'WanApiKey']) {
      expect(template.Resources[id]!.DeletionPolicy).toBe('Delete');
    }
    expect(template.Resources.VideosTable!.Properties).toMatchObject({ DeletionProtectionEnabled: false });
  });

  test('is all there is: another bucket, table or secret needs its own line here', () => {
    const stateful = [
      'AWS::S3::Bucket',
      'AWS::DynamoDB::Table',
      'AWS::SecretsManager::Secret',
      'AWS::StepFunctions::StateMachine',
    ];
    expect(stateful.flatMap((type) => all(type).map(({ id }) => id)).sort()).toEqual(
      ['StateMachine', 'UploadsBucket', 'VideosBucket', 'VideosTable', 'WanApiKey'].sort(),
    );
  });

  test('is versioned, encrypted, private and reached by TLS alone', () => {
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

  test('keeps uploads for two days, and of deleted media a day what is left', () => {
    const { Rules } = (synthesis.template.Resources.UploadsBucket!.Properties as Found['properties'])
      .LifecycleConfiguration;
    const below = (prefix: string) => Rules.filter(({ Prefix }: { Prefix?: string }) => Prefix === prefix);
    const brief = { NoncurrentVersionExpiration: { NoncurrentDays: 1 }, Status: 'Enabled' };
    expect(below('uploads/')).toEqual([{ Prefix: 'uploads/', ExpirationInDays: 2, ...brief }]);
    expect(below('inputs/')).toEqual([{ Prefix: 'inputs/', ...brief }]);
    // Drops and videos stay: nothing else ends an object that stands.
    const ending = all('AWS::S3::Bucket').flatMap(({ properties }) =>
      properties.LifecycleConfiguration.Rules.filter((rule: object) => 'ExpirationInDays' in rule),
    );
    expect(ending).toHaveLength(1);
  });

  test('lets a page upload by a form, and do nothing else', () => {
    const cors = all('AWS::S3::Bucket').map(({ id, properties }) => [id, properties.CorsConfiguration?.CorsRules]);
    expect(Object.fromEntries(cors)).toEqual({
      UploadsBucket: [{ AllowedMethods: ['POST'], AllowedOrigins: ['*'], ExposedHeaders: ['ETag'], MaxAge: 3600 }],
      VideosBucket: undefined,
    });
  });

  test("holds no key in the template, and the secret's placeholder looks like none", () => {
    expect(all('AWS::SecretsManager::Secret')[0]!.properties.SecretString).toBe('unset');
  });
});

describe('each function', () => {
  test('is one of those that have an environment', () => {
    expect(
      Object.values(synthesis.functions)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...functionNames].sort());
    expect(all('AWS::Lambda::Function')).toHaveLength(functionNames.length);
  });

  test('must have code', async () => {
    const bundles = standInBundles();
    bundles.delete('sweep');
    await expect(synthesize({ bundles, outdir: 'unused' })).rejects.toThrow('There is no bundle of the function sweep');
  });

  test.each(functionNames)('%s is given exactly the variables that its schema asks for, and they parse', (name) => {
    const { Variables = {} } = functionNamed(name).properties.Environment ?? {};
    expect(Object.keys(Variables).sort()).toEqual(Object.keys(environments[name].shape).sort());
    const values = Object.entries(Variables).map(([key, value]) => [
      key,
      flatten(value).replace('<WanApiKey>', 'arn:secret'),
    ]);
    expect(environments[name].safeParse(Object.fromEntries(values)).error).toBeUndefined();
  });

  test('gets the configuration', async () => {
    const { template, functions } = await synthesizeStandIns({
      region: 'beijing',
      typicalSeconds: 6,
      wanBaseUrl: 'http://127.0.0.1:4401/api/v1',
      trustedOrigins: ['http://127.0.0.1:4401'],
      extraPermits: 0,
      limits: { 'wan2.6-i2v': { concurrent_tasks: 9 } },
      drop: { owner: 'studio', parameters: { resolution: '480P' } },
      monthlySpendingLimit: 12.5,
      auth: 'jwt',
      jwt: { issuer: 'https://id.example', audience: 'firstframe' },
    });
    const variables = Object.fromEntries(
      resourcesOf(template, 'AWS::Lambda::Function').map(({ id, properties }) => [
        functions[id]!.name,
        properties.Environment?.Variables,
      ]),
    );
    expect(variables['create-task']).toMatchObject({
      WAN_REGION: 'beijing',
      WAN_BASE_URL: 'http://127.0.0.1:4401/api/v1',
      IMAGE_TRANSFER: 'upload',
      TYPICAL_SECONDS: '6',
      LANE_LIMITS: '{"extra_permits":0,"models":{"wan2.6-i2v":{"concurrent_tasks":9}}}',
    });
    expect(variables.submit).toMatchObject({
      TRUSTED_ORIGINS: '["http://127.0.0.1:4401"]',
      MONTHLY_SPENDING_LIMIT: '12.5',
    });
    expect(JSON.parse(variables.authorize.AUTH)).toEqual({
      mode: 'jwt',
      issuer: 'https://id.example',
      audience: 'firstframe',
      owner_claim: 'sub',
      jwks_url: 'https://id.example/.well-known/jwks.json',
    });
    expect(JSON.parse(variables.drop.DROP_DEFAULTS)).toMatchObject({
      owner: 'studio',
      parameters: { resolution: '480P' },
    });
  });

  test('knows no spending limit where there is none', async () => {
    const { template, functions } = await synthesizeStandIns({ monthlySpendingLimit: 'none' });
    for (const { id, properties } of resourcesOf(template, 'AWS::Lambda::Function')) {
      const limited = 'MONTHLY_SPENDING_LIMIT' in environments[functions[id]!.name as FunctionName].shape;
      expect(properties.Environment?.Variables.MONTHLY_SPENDING_LIMIT).toBe(limited ? '' : undefined);
    }
  });

  test('has the runtime, a log group that forgets, traces, and is called by its alias alone', () => {
    for (const { id, properties } of all('AWS::Lambda::Function')) {
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
      });
      const logGroup = synthesis.template.Resources[properties.LoggingConfig.LogGroup.Ref]!;
      expect(logGroup).toMatchObject({ Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: 30 } });
      const users = all('AWS::Lambda::Alias').filter(({ properties: { FunctionName } }) => FunctionName.Ref === id);
      expect(users.map((alias) => alias.properties.Name)).toEqual(['live']);
    }
    const aliases = new Set(all('AWS::Lambda::Alias').map(({ id }) => `<${id}>`));
    const called = [
      ...all('AWS::Lambda::Permission').map(({ properties }) => flatten(properties.FunctionName)),
      ...all('AWS::Events::Rule').flatMap(({ properties }) =>
        properties.Targets.map(({ Arn }: { Arn: unknown }) => flatten(Arn)),
      ),
    ];
    expect(called.filter((callee) => !aliases.has(callee))).toEqual([]);
  });

  test.each<[FunctionName, number, number]>([
    ['submit', 29, 1024],
    ['videos', 29, 512],
    ['actions', 29, 512],
    ['dashscope', 29, 1024],
    ['catalogue', 29, 1024],
    // The client waits 75 s for Wan, which fetches and checks the image meanwhile, and may have to upload it and call again.
    ['create-task', 240, 512],
    ['archive-video', 900, 512],
  ])('%s has %i s and %i MB', (name, Timeout, MemorySize) => {
    expect(functionNamed(name).properties).toMatchObject({ Timeout, MemorySize });
  });

  test.each<FunctionName>(['drop', 'dispatch', 'sweep'])(
    '%s, which nobody waits for, keeps what it can not handle',
    (name) => {
      const { DeadLetterConfig } = functionNamed(name).properties;
      const queue = synthesis.template.Resources[DeadLetterConfig.TargetArn['Fn::GetAtt'][0]]!;
      expect(queue).toMatchObject({
        Type: 'AWS::SQS::Queue',
        Properties: { SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 24 * 3600 },
      });
    },
  );
});

describe('events', () => {
  const ruleOf = (part: string): Found => all('AWS::Events::Rule').find(({ id }) => id.includes(part))!;
  const targetsOf = ({ properties }: Found): string[] =>
    properties.Targets.map(({ Arn }: { Arn: unknown }) => {
      const alias = synthesis.template.Resources[flatten(Arn).slice(1, -1)]!.Properties as {
        FunctionName: { Ref: string };
      };
      return synthesis.functions[alias.FunctionName.Ref]!.name;
    });

  test('of objects below drop/ of the uploads bucket reach drop', () => {
    expect(synthesis.template.Resources.UploadsBucket!.Properties).toMatchObject({
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
    });
    expect(ruleOf('ImageDropped').properties.EventPattern).toEqual({
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: { bucket: { name: [{ Ref: 'UploadsBucket' }] }, object: { key: [{ prefix: 'drop/' }] } },
    });
    expect(targetsOf(ruleOf('ImageDropped'))).toEqual(['drop']);
  });

  test('of runs that no Catch saw reach sweep', () => {
    const { EventPattern } = ruleOf('WorkflowDied').properties;
    expect(EventPattern).toMatchObject({
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
    });
    expect(flatten(EventPattern.detail.stateMachineArn[0])).toMatch(/:stateMachine:firstframe-videos$/);
    expect(targetsOf(ruleOf('WorkflowDied'))).toEqual(['sweep']);
  });

  test.each([
    ['DispatchEachMinute', 'rate(1 minute)', 'dispatch'],
    ['SweepEveryFiveMinutes', 'rate(5 minutes)', 'sweep'],
  ])('%s: %s', (rule, schedule, name) => {
    expect(ruleOf(rule).properties).toMatchObject({ ScheduleExpression: schedule, State: 'ENABLED' });
    expect(targetsOf(ruleOf(rule))).toEqual([name]);
  });

  test('that can not be delivered are kept, by a queue that EventBridge may write to', () => {
    const queues = new Set(
      all('AWS::Events::Rule').flatMap(({ properties }) =>
        listOf(properties.Targets).map((target) => flatten(target.DeadLetterConfig.Arn)),
      ),
    );
    for (const queue of queues) {
      const statements = all('AWS::SQS::QueuePolicy').flatMap(({ properties }) => properties.PolicyDocument.Statement);
      const allowed = statements.filter(({ Effect, Resource }) => Effect === 'Allow' && flatten(Resource) === queue);
      expect(allowed[0]).toMatchObject({ Action: 'sqs:SendMessage', Principal: { Service: 'events.amazonaws.com' } });
    }
    expect(queues.size).toBe(2);
  });
});

test('a wrong configuration is an error of the synthesis that names it', async () => {
  await expect(synthesizeStandIns({ region: 'tokyo' })).rejects.toThrow('region = "tokyo"');
});

test('the stack tells where everything is', () => {
  expect(Object.keys(synthesis.template.Outputs!).sort()).toEqual(
    ['ApiUrl', 'StateMachineArn', 'TableName', 'UploadsBucketName', 'VideosBucketName', 'WanSecretArn'].sort(),
  );
});
