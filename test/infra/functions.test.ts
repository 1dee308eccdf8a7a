import { beforeAll, describe, expect, test } from 'vitest';
import { environments, type FunctionName } from '../../functions/shared/environment.ts';
import { type Synthesis, synthesize } from '../../infra/synth/synthesize.ts';
import { type Found, flatten, functionNames, resourcesOf, standInBundles, synthesizeStandIns } from './support.ts';

let synthesis: Synthesis;
beforeAll(async () => {
  synthesis = await synthesizeStandIns();
});

const all = (type: string): Found[] => resourcesOf(synthesis.template, type);
const functionNamed = (name: FunctionName): Found =>
  all('AWS::Lambda::Function').find(({ id }) => synthesis.functions[id]!.name === name)!;

describe('each function', () => {
  test('has an environment schema', () => {
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
    await expect(synthesize({ bundles, outdir: 'unused' })).rejects.toThrow('No bundle for the function sweep');
  });

  test.each(functionNames)('%s has exactly the variables of its schema, and they are valid', (name) => {
    const { POWERTOOLS_SERVICE_NAME: stackName, ...Variables } = functionNamed(name).properties.Environment.Variables;
    expect(stackName).toBe('firstframe');
    expect(Object.keys(Variables).sort()).toEqual(Object.keys(environments[name].shape).sort());
    const values = Object.entries(Variables).map(([key, value]) => [
      key,
      flatten(value)
        .replace('<WanApiKey>', 'arn:secret')
        .replace(/^<(DropWaitQueue|(Slow)?WebhookQueue)>$/, 'https://sqs.example/queue')
        .replace(/^<WorkflowWatchFunctionLive\w+>$/, 'arn:watcher'),
    ]);
    expect(environments[name].safeParse(Object.fromEntries(values)).error).toBeUndefined();
  });

  test('receives the configuration', async () => {
    const { template, functions } = await synthesizeStandIns({
      region: 'beijing',
      typicalSeconds: 6,
      wanQueriesPerSecond: 3,
      wanBaseUrl: 'http://127.0.0.1:4401/api/v1',
      trustedOrigins: ['http://127.0.0.1:4401'],
      rotatedImages: 'refuse',
      videoHosts: ['new-results.oss-cn-beijing.aliyuncs.com'],
      extraPermits: 0,
      limits: { 'wan2.6-i2v': { concurrent_tasks: 9 } },
      drop: { owner: 'studio', parameters: { resolution: '480P' }, sidecarSeconds: 3, owners: { team: 'alice' } },
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
      WAN_QUERIES_PER_SECOND: '3',
      LIMIT_SETTINGS: '{"extra_permits":0,"models":{"wan2.6-i2v":{"concurrent_tasks":9}}}',
    });
    for (const name of ['submit', 'catalogue', 'dashscope', 'drop']) {
      expect(variables[name]).toMatchObject({ ROTATED_IMAGES: 'refuse' });
    }
    expect(variables.submit).toMatchObject({
      TRUSTED_ORIGINS: '["http://127.0.0.1:4401"]',
      MONTHLY_SPENDING_LIMIT: '12.5',
    });
    expect(variables['archive-video']).toMatchObject({ VIDEO_HOSTS: '["new-results.oss-cn-beijing.aliyuncs.com"]' });
    expect(JSON.parse(variables.authorize.AUTH)).toEqual({
      mode: 'jwt',
      issuer: 'https://id.example',
      audience: 'firstframe',
      owner_claim: 'sub',
      jwks_url: 'https://id.example/.well-known/jwks.json',
    });
    expect(JSON.parse(variables.drop.DROP_DEFAULTS)).toEqual({
      owner: 'studio',
      model: 'wan2.2-i2v-flash',
      prompt: expect.any(String),
      parameters: { resolution: '480P' },
    });
    expect(JSON.parse(variables.drop.DROP_RULES)).toEqual({ sidecar_seconds: 3, owners: { team: 'alice' } });
  });

  const longPrompt = '猫'.repeat(1350);
  const owners = Object.fromEntries(
    Array.from({ length: 120 }, (_, index) => [`a top folder ${index}`, `owner${index}`]),
  );
  test.each([
    ['drop.prompt', { drop: { prompt: longPrompt } }],
    ['drop.owners', { drop: { owners } }],
    ['videoHosts', { videoHosts: Array.from({ length: 300 }, (_, index) => `results${index}.example`) }],
  ])(
    'has less than the 4 KB of Lambda, or the synthesis fails with an error that names %s',
    async (setting, context) => {
      const error = await synthesizeStandIns(context).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ name: 'ConfigurationError', message: expect.stringContaining(setting) });
      expect(JSON.stringify(error)).not.toContain(longPrompt);
    },
  );

  test('has an empty spending limit without a configured one', async () => {
    const { template, functions } = await synthesizeStandIns({ monthlySpendingLimit: 'none' });
    for (const { id, properties } of resourcesOf(template, 'AWS::Lambda::Function')) {
      const limited = 'MONTHLY_SPENDING_LIMIT' in environments[functions[id]!.name as FunctionName].shape;
      expect(properties.Environment?.Variables.MONTHLY_SPENDING_LIMIT).toBe(limited ? '' : undefined);
    }
  });

  test('has the runtime, a log group with retention, traces unless it is the watcher, and is only invoked by its alias', () => {
    for (const { id, properties } of all('AWS::Lambda::Function')) {
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
      });
      const isTraced = synthesis.functions[id]!.name !== 'watch';
      expect(properties.TracingConfig?.Mode).toBe(isTraced ? 'Active' : undefined);
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
      ...all('AWS::Lambda::EventSourceMapping').map(({ properties }) => flatten(properties.FunctionName)),
    ];
    expect(called.filter((callee) => !aliases.has(callee))).toEqual(['<WebhookQueue.Arn>']);
  });

  test.each([
    ['drop.prompt', { drop: { prompt: '长'.repeat(1500) } }],
    [
      'drop.owners',
      {
        drop: {
          owners: Object.fromEntries(
            Array.from({ length: 120 }, (_, index) => [`a-long-folder-${index}`, `owner-of-it-${index}`]),
          ),
        },
      },
    ],
  ])('has at most 4 KB of variables, or %s is named before anything is deployed', async (setting, context) => {
    await expect(synthesizeStandIns(context)).rejects.toThrow(
      new RegExp(
        `^The environment of the function drop has \\d+ bytes, and Lambda allows 4096\\. Shorten the setting ${setting}`,
      ),
    );
  });

  test('has reserved concurrency only if it is configured, and only for submit and videos', async () => {
    const limited = ({ template, functions }: Synthesis) =>
      resourcesOf(template, 'AWS::Lambda::Function').flatMap(({ id, properties: { ReservedConcurrentExecutions } }) =>
        ReservedConcurrentExecutions === undefined ? [] : [[functions[id]!.name, ReservedConcurrentExecutions]],
      );
    expect(limited(synthesis)).toEqual([]);
    expect(limited(await synthesizeStandIns({ apiConcurrency: 40 })).sort()).toEqual([
      ['submit', 40],
      ['videos', 40],
    ]);
  });

  test.each<[FunctionName, number, number]>([
    ['submit', 29, 1024],
    ['videos', 29, 512],
    ['actions', 29, 512],
    ['dashscope', 29, 1024],
    ['catalogue', 29, 1024],
    // A call has a timeout of 75 s, during which Wan fetches and checks the image; an upload and a second call may follow.
    ['create-task', 240, 512],
    ['archive-video', 900, 512],
  ])('%s has %i s and %i MB', (name, Timeout, MemorySize) => {
    expect(functionNamed(name).properties).toMatchObject({ Timeout, MemorySize });
  });

  const mappingsOf = (queue: string) =>
    all('AWS::Lambda::EventSourceMapping')
      .map(({ properties }) => properties)
      .filter(({ EventSourceArn }) => flatten(EventSourceArn) === `<${queue}.Arn>`);

  test.each(['WebhookQueue', 'SlowWebhookQueue'])(
    'deliver receives batches of 10 of %s through its alias, and reports each message that fails',
    (name) => {
      const alias = all('AWS::Lambda::Alias').find(
        ({ properties }) => properties.FunctionName.Ref === functionNamed('deliver').id,
      );
      expect(mappingsOf(name)).toEqual([
        {
          BatchSize: 10,
          EventSourceArn: { 'Fn::GetAtt': [name, 'Arn'] },
          FunctionName: { Ref: alias!.id },
          FunctionResponseTypes: ['ReportBatchItemFailures'],
          ScalingConfig: { MaximumConcurrency: 2 },
        },
      ]);
      const queue = synthesis.template.Resources[name]!.Properties as Found['properties'];
      expect(queue).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 24 * 3600 });
      expect(queue.VisibilityTimeout).toBe(6 * functionNamed('deliver').properties.Timeout);
      expect(queue.RedrivePolicy.maxReceiveCount * queue.VisibilityTimeout).toBe(3600);
      const deadLetters = synthesis.template.Resources[flatten(queue.RedrivePolicy.deadLetterTargetArn).slice(1, -5)];
      expect(deadLetters!.Properties).toMatchObject({ MessageRetentionPeriod: 14 * 24 * 3600 });
    },
  );

  test('drop receives the images that wait for their sidecars one by one through its alias, for a day', () => {
    const alias = all('AWS::Lambda::Alias').find(
      ({ properties }) => properties.FunctionName.Ref === functionNamed('drop').id,
    );
    expect(mappingsOf('DropWaitQueue')).toEqual([
      {
        BatchSize: 1,
        EventSourceArn: { 'Fn::GetAtt': ['DropWaitQueue', 'Arn'] },
        FunctionName: { Ref: alias!.id },
        ScalingConfig: { MaximumConcurrency: 2 },
      },
    ]);
    const queue = synthesis.template.Resources.DropWaitQueue!.Properties as Found['properties'];
    expect(queue).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 24 * 3600 });
    expect(queue.VisibilityTimeout).toBeGreaterThanOrEqual(functionNamed('drop').properties.Timeout);
    const { maxReceiveCount, deadLetterTargetArn } = queue.RedrivePolicy;
    expect(maxReceiveCount * queue.VisibilityTimeout).toBe(24 * 3600);
    expect(deadLetterTargetArn).toEqual(functionNamed('drop').properties.DeadLetterConfig.TargetArn);
  });

  test.each<FunctionName>(['drop', 'sweep'])(
    '%s has a dead-letter queue, since it is invoked asynchronously',
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
