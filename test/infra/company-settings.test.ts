import { beforeAll, describe, expect, test } from 'vitest';
import type { Synthesis } from '../../infra/synth/synthesize.ts';
import { account, region } from '../../local/aws/account.ts';
import { loadStack } from '../../local/aws/template/load-stack.ts';
import { companySettings, type Found, resourcesOf, synthesizeStandIns } from './support.ts';

const { domain, kmsKeyArn, permissionsBoundary, tags, accessLogBucket } = companySettings;

let plain: Synthesis;
let company: Synthesis;
beforeAll(async () => {
  [plain, company] = await Promise.all([synthesizeStandIns(), synthesizeStandIns(companySettings)]);
});

const all = ({ template }: Synthesis, type: string): Found[] => resourcesOf(template, type);

test('all settings together can be deployed to the local runtime, and none replaces a resource with data', () => {
  const stack = loadStack(company.template, { stack_name: 'firstframe', account, region });
  expect(stack.outputs).toMatchObject({ DomainUrl: 'https://videos.example.com/wan/' });
  for (const id of [
    'UploadsBucket',
    'VideosBucket',
    'VideosTable',
    'WanApiKey',
    'DropWaitQueue',
    'StateMachine',
    'RestApi',
  ])
    expect(company.template.Resources[id]?.Type).toBe(plain.template.Resources[id]?.Type);
});

describe('the dashboard', () => {
  test.each([true, false])('and its output exist with dashboard = %j only if it is true', async (dashboard) => {
    const { template } = await synthesizeStandIns({ dashboard });
    expect(resourcesOf(template, 'AWS::CloudWatch::Dashboard')).toHaveLength(dashboard ? 1 : 0);
    expect('DashboardName' in template.Outputs!).toBe(dashboard);
  });
});

describe('a domain', () => {
  test('is regional, uses the certificate and TLS 1.2, and keeps its logical id', () => {
    expect(company.template.Resources.ApiDomain).toMatchObject({
      Type: 'AWS::ApiGateway::DomainName',
      Properties: {
        DomainName: domain.name,
        EndpointConfiguration: { Types: ['REGIONAL'] },
        RegionalCertificateArn: domain.certificateArn,
        SecurityPolicy: 'TLS_1_2',
      },
    });
  });

  test.each([
    ['its base path', 'wan', 'https://videos.example.com/wan/'],
    ['no base path', undefined, 'https://videos.example.com/'],
  ])('maps %s to the stage, so that the path of a request does not contain it', async (_, basePath, url) => {
    const synthesis = await synthesizeStandIns({ domain: { ...domain, basePath } });
    const [mapping, ...others] = all(synthesis, 'AWS::ApiGateway::BasePathMapping');
    expect(others).toEqual([]);
    const [stage] = all(synthesis, 'AWS::ApiGateway::Stage');
    expect(mapping!.properties).toEqual({
      DomainName: { Ref: 'ApiDomain' },
      RestApiId: { Ref: 'RestApi' },
      Stage: { Ref: stage!.id },
      ...(basePath === undefined ? {} : { BasePath: basePath }),
    });
    expect(synthesis.template.Outputs).toMatchObject({
      DomainUrl: { Value: url },
      DomainTarget: { Value: { 'Fn::GetAtt': ['ApiDomain', 'RegionalDomainName'] } },
      DomainHostedZoneId: { Value: { 'Fn::GetAtt': ['ApiDomain', 'RegionalHostedZoneId'] } },
    });
  });
});

describe("the operator's key", () => {
  test('encrypts both buckets, with a bucket key', () => {
    for (const { properties } of all(company, 'AWS::S3::Bucket'))
      expect(properties.BucketEncryption.ServerSideEncryptionConfiguration).toEqual([
        {
          BucketKeyEnabled: true,
          ServerSideEncryptionByDefault: { KMSMasterKeyID: kmsKeyArn, SSEAlgorithm: 'aws:kms' },
        },
      ]);
  });

  test.each<[string, number, (properties: Found['properties']) => unknown]>([
    ['AWS::DynamoDB::Table', 1, ({ SSESpecification }) => SSESpecification.KMSMasterKeyId],
    ['AWS::SQS::Queue', 6, ({ KmsMasterKeyId }) => KmsMasterKeyId],
    ['AWS::SecretsManager::Secret', 3, ({ KmsKeyId }) => KmsKeyId],
    ['AWS::SNS::Topic', 1, ({ KmsMasterKeyId }) => KmsMasterKeyId],
    // Of 21 functions, the state machine, and the access and execution logs of the API.
    ['AWS::Logs::LogGroup', 24, ({ KmsKeyId }) => KmsKeyId],
  ])('encrypts every %s', (type, count, keyOf) => {
    expect(all(company, type).map(({ properties }) => keyOf(properties))).toEqual(Array(count).fill(kmsKeyArn));
  });

  test('makes the key of the stack superfluous', () => {
    expect([plain, company].map((synthesis) => all(synthesis, 'AWS::KMS::Key').length)).toEqual([1, 0]);
    expect(JSON.stringify(plain.template)).not.toContain('kms:ViaService');
  });
});

test('the permissions boundary limits every role', () => {
  const boundaries = ({ properties }: Found) => properties.PermissionsBoundary;
  expect(all(company, 'AWS::IAM::Role').map(boundaries)).toEqual(
    all(plain, 'AWS::IAM::Role').map(() => permissionsBoundary),
  );
  expect(all(plain, 'AWS::IAM::Role').filter(boundaries)).toEqual([]);
});

/** The types of the template whose resources cannot have tags. */
const untaggable = new Set([
  ...[
    'Account',
    'Authorizer',
    'BasePathMapping',
    'Deployment',
    'GatewayResponse',
    'Method',
    'RequestValidator',
    'Resource',
  ].map((type) => `AWS::ApiGateway::${type}`),
  ...['Alias', 'EventInvokeConfig', 'Permission', 'Version'].map((type) => `AWS::Lambda::${type}`),
  ...['AWS::IAM::Policy', 'AWS::S3::BucketPolicy', 'AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy'],
  ...['AWS::SNS::Subscription', 'AWS::WAFv2::WebACLAssociation'],
]);

test('tags are on every resource that can have tags', async () => {
  const { template } = await synthesizeStandIns({
    ...{ tags, domain },
    waf: { requestsPer5Minutes: 100 },
    alarmEmail: 'ops@example.com',
  });
  const expected = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const untagged = Object.entries(template.Resources).filter(
    ([, { Type, Properties }]) =>
      !untaggable.has(Type) &&
      !expected.every((tag) => JSON.stringify(Properties?.Tags ?? []).includes(JSON.stringify(tag))),
  );
  expect(untagged.map(([id, { Type }]) => `${id} ${Type}`)).toEqual([]);
});

test('access logs of both buckets go to the given bucket, each below a prefix of its own', () => {
  const logging = ({ properties }: Found) => properties.LoggingConfiguration;
  expect(all(company, 'AWS::S3::Bucket').map(logging)).toEqual([
    { DestinationBucketName: accessLogBucket, LogFilePrefix: 'firstframe/UploadsBucket/' },
    { DestinationBucketName: accessLogBucket, LogFilePrefix: 'firstframe/VideosBucket/' },
  ]);
  expect(all(plain, 'AWS::S3::Bucket').filter(logging)).toEqual([]);
});

describe('retention', () => {
  const rulesOf = ({ template }: Synthesis, bucket: string) =>
    (template.Resources[bucket]!.Properties as Found['properties']).LifecycleConfiguration.Rules as object[];
  const expiring = (synthesis: Synthesis, bucket: string) =>
    rulesOf(synthesis, bucket).filter((rule) => 'ExpirationInDays' in rule);
  const oldVersions = { NoncurrentVersionExpiration: { NoncurrentDays: 1 }, Status: 'Enabled' };

  test('deletes videos, inputs and drops, and later their old versions', () => {
    expect(rulesOf(company, 'VideosBucket')).toEqual([
      expect.objectContaining({ ExpiredObjectDeleteMarker: true, ...oldVersions }),
      { ExpirationInDays: 90, Status: 'Enabled' },
    ]);
    expect(expiring(company, 'UploadsBucket')).toEqual([
      { Prefix: 'uploads/', ExpirationInDays: 2, ...oldVersions },
      { Prefix: 'inputs/', ExpirationInDays: 60, ...oldVersions },
      { Prefix: 'drop/', ExpirationInDays: 30, NoncurrentVersionExpiration: { NoncurrentDays: 7 }, Status: 'Enabled' },
    ]);
  });

  test('of videos only deletes inputs with the records, which nothing else would delete, and no drops', async () => {
    const videos = await synthesizeStandIns({ retention: { videos: 7 } });
    expect(expiring(videos, 'VideosBucket')).toHaveLength(1);
    expect(expiring(videos, 'UploadsBucket')).toEqual([
      expect.objectContaining({ Prefix: 'uploads/' }),
      { Prefix: 'inputs/', ExpirationInDays: 37, ...oldVersions },
    ]);
  });

  test('of drops only leaves videos and inputs', async () => {
    const drops = await synthesizeStandIns({ retention: { drops: 1 } });
    expect(rulesOf(drops, 'VideosBucket')).toEqual(rulesOf(plain, 'VideosBucket'));
    expect(rulesOf(drops, 'UploadsBucket')).toEqual([
      ...rulesOf(plain, 'UploadsBucket'),
      { Prefix: 'drop/', ExpirationInDays: 1, ...oldVersions },
    ]);
  });

  test('removes the delete markers that S3 leaves', () => {
    for (const bucket of ['UploadsBucket', 'VideosBucket'])
      expect(rulesOf(company, bucket)).toContainEqual(expect.objectContaining({ ExpiredObjectDeleteMarker: true }));
  });
});
