import { beforeAll, describe, expect, test } from 'vitest';
import type { Synthesis } from '../../infra/synth/synthesize.ts';
import { type Found, flatten, listOf, resourcesOf, synthesizeStandIns } from './support.ts';

let synthesis: Synthesis;
beforeAll(async () => {
  synthesis = await synthesizeStandIns();
});

const all = (type: string): Found[] => resourcesOf(synthesis.template, type);

describe('events', () => {
  const ruleOf = (part: string): Found => all('AWS::Events::Rule').find(({ id }) => id.includes(part))!;
  const targetsOf = ({ properties }: Found): string[] =>
    properties.Targets.map(({ Arn }: { Arn: unknown }) => {
      if (flatten(Arn).endsWith('Queue.Arn>')) return flatten(Arn);
      const alias = synthesis.template.Resources[flatten(Arn).slice(1, -1)]!.Properties as {
        FunctionName: { Ref: string };
      };
      return synthesis.functions[alias.FunctionName.Ref]!.name;
    });

  test('of objects below drop/ in the uploads bucket invoke drop', () => {
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

  test('of executions that failed invoke sweep', () => {
    const { EventPattern } = ruleOf('WorkflowDied').properties;
    expect(EventPattern).toMatchObject({
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
    });
    expect(flatten(EventPattern.detail.stateMachineArn[0])).toMatch(/:stateMachine:firstframe-videos$/);
    expect(targetsOf(ruleOf('WorkflowDied'))).toEqual(['sweep']);
  });

  test('of videos that a webhook wants are queued, from the bus of the stack only', () => {
    const rule = ruleOf('WebhookWanted');
    expect(rule.properties).toMatchObject({
      EventBusName: { Ref: 'EventBus' },
      EventPattern: { source: ['firstframe'], detail: { webhook: [true] } },
      State: 'ENABLED',
    });
    expect(rule.properties.Targets).toMatchObject([
      { RetryPolicy: { MaximumEventAgeInSeconds: 24 * 3600, MaximumRetryAttempts: 185 } },
    ]);
    expect(targetsOf(rule)).toEqual(['<WebhookQueue.Arn>']);
    const allowed = all('AWS::SQS::QueuePolicy')
      .filter(({ properties }) => properties.Queues.some((queue: unknown) => flatten(queue) === '<WebhookQueue>'))
      .flatMap(({ properties }) => properties.PolicyDocument.Statement)
      .filter(({ Effect }) => Effect === 'Allow');
    expect(allowed).toMatchObject([
      {
        Principal: { Service: 'events.amazonaws.com' },
        Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [rule.id, 'Arn'] } } },
      },
    ]);
  });

  test.each([
    ['DispatchEachMinute', 'rate(1 minute)', 'dispatch'],
    ['SweepEveryFiveMinutes', 'rate(5 minutes)', 'sweep'],
    ['ProbeWan', 'rate(15 minutes)', 'canary'],
    ['WatchEachMinute', 'rate(1 minute)', 'watch'],
  ])('%s: %s', (rule, schedule, name) => {
    expect(ruleOf(rule).properties).toMatchObject({ ScheduleExpression: schedule, State: 'ENABLED' });
    expect(targetsOf(ruleOf(rule))).toEqual([name]);
  });

  test('that cannot be delivered go to a queue that EventBridge may write to, except for dispatch, canary and watcher', () => {
    const kept = all('AWS::Events::Rule').filter(
      (rule) => !['dispatch', 'canary', 'watch'].includes(targetsOf(rule)[0]!),
    );
    const queues = new Set(
      kept.flatMap(({ properties }) =>
        listOf(properties.Targets).map((target) => flatten(target.DeadLetterConfig.Arn)),
      ),
    );
    for (const queue of queues) {
      const statements = all('AWS::SQS::QueuePolicy').flatMap(({ properties }) => properties.PolicyDocument.Statement);
      const allowed = statements.filter(({ Effect, Resource }) => Effect === 'Allow' && flatten(Resource) === queue);
      expect(allowed[0]).toMatchObject({ Action: 'sqs:SendMessage', Principal: { Service: 'events.amazonaws.com' } });
    }
    expect(queues.size).toBe(3);
  });
});

test.each([
  ['dispatch', { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 }],
  ['canary', { MaximumEventAgeInSeconds: 15 * 60 }],
  ['watch', { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 }],
])('%s does not run for an event that waited in Lambda longer than its period', (name, limits) => {
  const [id] = Object.entries(synthesis.functions).find(([, found]) => found.name === name)!;
  const [config, ...others] = all('AWS::Lambda::EventInvokeConfig').filter(
    ({ properties }) => flatten(properties.FunctionName) === `<${id}>`,
  );
  expect(others).toEqual([]);
  const { FunctionName, Qualifier, ...settings } = config!.properties;
  expect(settings).toEqual(limits);
  const [, qualified] = Qualifier['Fn::Select'];
  expect(synthesis.template.Resources[qualified['Fn::Split'][1].Ref]).toMatchObject({
    Type: 'AWS::Lambda::Alias',
    Properties: { Name: 'live' },
  });
});

describe('the watcher', () => {
  test('is started by events of at most a minute, without retries, since the next minute starts another', () => {
    expect(
      all('AWS::Events::Rule').find(({ id }) => id.includes('WatchEachMinute'))!.properties.Targets[0].RetryPolicy,
    ).toEqual({
      MaximumEventAgeInSeconds: 60,
      MaximumRetryAttempts: 0,
    });
  });

  test('has little memory, and a timeout one minute after it ends by itself', () => {
    const [watch] = Object.entries(synthesis.functions).find(([, { name }]) => name === 'watch')!;
    expect(synthesis.template.Resources[watch]!.Properties).toMatchObject({ MemorySize: 128, Timeout: 300 });
  });
});

test('an invalid configuration fails the synthesis with an error that names the setting', async () => {
  await expect(synthesizeStandIns({ region: 'tokyo' })).rejects.toThrow('region = "tokyo"');
});

test('the stack has an output for each resource that operators use', () => {
  expect(Object.keys(synthesis.template.Outputs!).sort()).toEqual(
    [
      'AlarmTopicArn',
      'ApiUrl',
      'DashboardName',
      'EventBusName',
      'StateMachineArn',
      'TableName',
      'UploadsBucketName',
      'VideosBucketName',
      'WanSecretArn',
      'WebhookSecretArn',
    ].sort(),
  );
});

describe('deleting the stack', () => {
  const withSettings = (settings: object) => synthesizeStandIns({ waf: { requestsPer5Minutes: 100 }, ...settings });
  /** Settings of the account and region that other APIs may depend on. */
  const ofTheAccount = ['AWS::ApiGateway::Account', 'AWS::IAM::Role'];

  test.each([
    [
      'retain',
      [
        'AWS::S3::Bucket',
        'AWS::S3::Bucket',
        'AWS::DynamoDB::Table',
        // Wan's key, and the one from which the secrets of webhooks are derived.
        'AWS::SecretsManager::Secret',
        'AWS::SecretsManager::Secret',
        ...ofTheAccount,
      ],
    ],
    ['destroy', ofTheAccount],
  ])('with removalPolicy=%s leaves nothing else', async (removalPolicy, left) => {
    const { template } = await withSettings({ removalPolicy });
    const retained = Object.values(template.Resources).filter(({ DeletionPolicy }) =>
      DeletionPolicy?.includes('Retain'),
    );
    expect(retained.map(({ Type }) => Type).sort()).toEqual([...left].sort());
    // The next deployment creates them anew, so a name that they keep would block it.
    for (const { Properties } of retained) {
      expect(Object.keys(Properties ?? {}).filter((key) => /^(Bucket|Table|Role)?Name$/.test(key))).toEqual([]);
    }
  });

  test('blocks no deployment that follows, except what docs/deploy.md names: the state machine while executions run, the bus while it has rules', async () => {
    /** Names that are only unique within another resource of the stack, or not at all. */
    const free =
      /^AWS::(Lambda::Alias Name|ApiGateway::(RestApi Name|Stage StageName|Authorizer Name)|SNS::Topic DisplayName)$/;
    const { template } = await withSettings({});
    const fixed = Object.values(template.Resources).flatMap(({ Type, Properties = {} }) =>
      Object.entries(Properties)
        .filter(
          ([key, value]) => /^(\w+)?Name$/.test(key) && !/^(Metric|Index|Policy)Name$/.test(key) && isFixed(value),
        )
        .map(([key]) => `${Type} ${key}`),
    );
    expect(fixed.filter((name) => !free.test(name))).toEqual([
      'AWS::Events::EventBus Name',
      'AWS::StepFunctions::StateMachine StateMachineName',
    ]);
  });

  /** Whether a value is the same in every deployment: it names no other resource, nor the stack's id. */
  const isFixed = (value: unknown): boolean => {
    const text = JSON.stringify(value);
    const references = [...text.matchAll(/"Ref":"([^"]+)"/g)].map(([, name]) => name!);
    return (
      !text.includes('"Fn::GetAtt"') && references.every((name) => name.startsWith('AWS::') && name !== 'AWS::StackId')
    );
  };
});

test('two deployments in one account and region share no physical name and no metric', async () => {
  /** Types whose names are scoped to another resource of the stack. */
  const scoped = ['AWS::Lambda::Alias', 'AWS::ApiGateway::Stage', 'AWS::ApiGateway::Authorizer'];
  const namesOf = async (stackName: string): Promise<string[]> => {
    const { template } = await synthesizeStandIns({ stackName, waf: { requestsPer5Minutes: 100 } });
    const resources = Object.values(template.Resources).filter(({ Type }) => !scoped.includes(Type));
    const names = resources.flatMap(({ Type, Properties = {} }) =>
      Object.entries(Properties).flatMap(([key, value]) =>
        /^(Name|(?!Metric|Index|Policy)\w+Name)$/.test(key) && typeof value === 'string'
          ? [`${Type} ${key} ${value}`]
          : [],
      ),
    );
    const text = JSON.stringify(template);
    const metrics = [
      ...text.matchAll(/"Dimensions":\[\{"Name":"(?:service|ApiName)","Value":"([^"]+)"/g),
      ...text.matchAll(/"MetricName":"([^"]*(?:two|firstframe)[^"]*)"/g),
    ].map(([found]) => found);
    expect(names.length).toBeGreaterThan(1);
    expect(metrics.length).toBeGreaterThan(8);
    return [...names, ...metrics];
  };
  const first = await namesOf('firstframe');
  const second = new Set(await namesOf('firstframe-two'));
  expect(first.filter((name) => second.has(name))).toEqual([]);
});
