import { beforeAll, describe, expect, test } from 'vitest';
import type { FunctionName } from '../../functions/shared/environment.ts';
import { keys } from '../../functions/video/keys.ts';
import type { Synthesis } from '../../infra/synth/synthesize.ts';
import { flatten, functionNames, listOf, resourcesOf, synthesizeStandIns } from './support.ts';

const table = '<VideosTable.Arn>';
const machine = 'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:firstframe-videos';
const executions = 'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:firstframe-videos:*';
const uploads = (prefix: string): string => `<UploadsBucket.Arn>/${prefix}*`;
const videos = '<VideosBucket.Arn>/*';

const items = (...actions: string[]): string[] => actions.map((action) => `dynamodb:${action} ${table}`);
/** Rate limiters and slots of long polls. */
const itemsWith = (leadingKeys: readonly string[], ...actions: string[]): string[] =>
  items(...actions).map((action) =>
    [
      `${action} if ForAllValues:StringLike {"dynamodb:LeadingKeys":${JSON.stringify(leadingKeys)}}`,
      ' if Null {"dynamodb:LeadingKeys":"false"}',
    ].join(),
  );
const limiters = (...actions: string[]) => itemsWith([keys.requestRate('*'), keys.longPolls], ...actions);
const read = (objects: string): string[] => [`s3:GetObject ${objects}`, `s3:GetObjectVersion ${objects}`];
const byStatus = `dynamodb:Query ${table}/index/by_status`;
const wake = `states:SendTaskSuccess ${machine}`;
const publish = 'events:PutEvents <EventBus.Arn>';
const start = `states:StartExecution ${machine}`;
const listUploads = 's3:ListBucket <UploadsBucket.Arn>';
/** To distinguish a deleted video from one without read permission. */
const listVideos = ['s3:ListBucket <VideosBucket.Arn>', 's3:ListBucketVersions <VideosBucket.Arn>'];
/** The result of a drop, next to it. */
const writeResults = [
  `s3:GetObject ${uploads('drop/')}`,
  `s3:PutObject ${uploads('drop/')}`,
  listUploads,
  's3:ListBucketVersions <UploadsBucket.Arn> if StringLike {"s3:prefix":"drop/*"}',
];
const wanKey = 'secretsmanager:GetSecretValue <WanApiKey>';
const keepEvents = 'sqs:SendMessage a queue';
const receive = (queue: string): string[] =>
  ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((action) => `sqs:${action} <${queue}.Arn>`);

const dispatch = [...items('GetItem', 'UpdateItem'), byStatus, start, publish];
const acceptRequest = [
  ...items('GetItem', 'PutItem', 'UpdateItem'),
  byStatus,
  start,
  publish,
  ...read(uploads('uploads/')),
  listUploads,
  `s3:PutObject ${uploads('inputs/')}`,
];
const deleteObjects = [
  `s3:DeleteObjectVersion ${videos}`,
  's3:ListBucketVersions <VideosBucket.Arn>',
  `s3:DeleteObjectVersion ${uploads('inputs/')}`,
  's3:ListBucketVersions <UploadsBucket.Arn> if StringLike {"s3:prefix":"inputs/*"}',
];

/** All permissions of each function except logs and traces. */
const permissions: Record<FunctionName, string[]> = {
  authorize: items('GetItem'),
  health: items('GetItem'),
  console: [],
  contract: [],
  catalogue: [
    ...limiters('GetItem', 'UpdateItem'),
    ...itemsWith([keys.catalogueChanges, keys.modelQueue('*')], 'GetItem'),
  ],
  uploads: [`s3:PutObject ${uploads('uploads/')}`, ...limiters('GetItem', 'UpdateItem')],
  submit: [
    ...acceptRequest,
    // The files of a video that another one is derived from.
    ...[videos, uploads('inputs/'), uploads('drop/')].map((objects) => `s3:GetObjectVersion ${objects}`),
    ...listVideos,
    's3:ListBucketVersions <UploadsBucket.Arn>',
  ],
  videos: [
    ...items('GetItem'),
    ...limiters('UpdateItem'),
    `dynamodb:Query ${table}/index/by_owner`,
    byStatus,
    ...read(videos),
    ...read(uploads('inputs/')),
    ...read(uploads('drop/')),
    ...listVideos,
    listUploads,
  ],
  actions: [
    ...items('GetItem', 'PutItem', 'UpdateItem'),
    byStatus,
    start,
    publish,
    wanKey,
    ...deleteObjects,
    ...writeResults,
  ],
  webhooks: [
    ...items('GetItem', 'UpdateItem'),
    'sqs:SendMessage <WebhookQueue.Arn>',
    'secretsmanager:GetSecretValue <WebhookKey>',
  ],
  dashscope: [
    ...acceptRequest,
    `s3:PutObject ${uploads('uploads/')}`,
    `dynamodb:Query ${table}/index/by_owner`,
    ...read(videos),
    wanKey,
    'secretsmanager:GetSecretValue <FileLinkKey>',
    ...writeResults,
  ],
  drop: [
    ...items('GetItem', 'PutItem', 'UpdateItem'),
    byStatus,
    start,
    publish,
    ...receive('DropWaitQueue'),
    'sqs:SendMessage <DropWaitQueue.Arn>',
    ...read(uploads('drop/')),
    `s3:PutObject ${uploads('inputs/')}`,
    ...read(videos),
    ...listVideos,
    ...writeResults,
    keepEvents,
  ],
  dispatch: [...dispatch, 'sqs:SendMessage <WebhookQueue.Arn>'],
  deliver: [
    ...items('GetItem', 'UpdateItem'),
    ...receive('WebhookQueue'),
    ...receive('SlowWebhookQueue'),
    'sqs:SendMessage <SlowWebhookQueue.Arn>',
    'secretsmanager:GetSecretValue <WebhookKey>',
  ],
  'create-task': [
    ...dispatch,
    wanKey,
    ...read(uploads('drop/')),
    ...read(uploads('inputs/')),
    listUploads,
    'lambda:InvokeFunction the live watcher',
  ],
  'check-task': [...dispatch, wanKey, ...writeResults],
  'archive-video': [
    ...items('GetItem', 'UpdateItem'),
    publish,
    wanKey,
    ...read(videos),
    `s3:PutObject ${videos}`,
    `s3:DeleteObject ${videos}`,
    `s3:DeleteObjectVersion ${videos}`,
    ...listVideos,
    ...writeResults,
  ],
  'record-failure': [...dispatch, ...writeResults],
  watch: [...items('GetItem', 'UpdateItem'), byStatus, wanKey, wake],
  canary: [wanKey],
  sweep: [
    ...dispatch,
    `states:DescribeExecution ${executions}`,
    ...deleteObjects,
    ...read(videos),
    ...listVideos,
    ...writeResults,
    'sqs:SendMessage <DropWaitQueue.Arn>',
    keepEvents,
  ],
};

/** Every resource with a wildcard. */
const wildcards = new Set(['*', uploads('drop/'), uploads('uploads/'), uploads('inputs/'), videos, executions]);

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

let synthesis: Synthesis;
beforeAll(async () => {
  synthesis = await synthesizeStandIns();
});

/** Returns the grants by the role's logical id, as `action resource` with the condition, if any. */
function grantsByRole(): Map<string, string[]> {
  const grants = new Map<string, string[]>();
  const add = (role: string, statements: Statement[]) => {
    const lines = statements.flatMap(({ Effect, Action, Resource, Condition = {} }) => {
      expect(Effect).toBe('Allow');
      const only = Object.entries(Condition).map(([operator, keys]) => ` if ${operator} ${JSON.stringify(keys)}`);
      return listOf(Action).flatMap((action) =>
        listOf(Resource).map((resource) => `${action} ${flatten(resource)}${only.join()}`),
      );
    });
    grants.set(role, [...(grants.get(role) ?? []), ...lines]);
  };
  for (const { properties } of resourcesOf(synthesis.template, 'AWS::IAM::Policy')) {
    for (const role of properties.Roles) add(role.Ref, properties.PolicyDocument.Statement);
  }
  for (const { id, properties } of resourcesOf(synthesis.template, 'AWS::IAM::Role')) {
    for (const policy of properties.Policies ?? []) add(id, policy.PolicyDocument.Statement);
  }
  return grants;
}

describe('a role', () => {
  test.each(functionNames)('of %s allows what the function does and nothing else', (name) => {
    const [logicalId] = Object.entries(synthesis.functions).find(([, found]) => found.name === name)!;
    const { Role, LoggingConfig } = synthesis.template.Resources[logicalId]!.Properties as {
      Role: { 'Fn::GetAtt': [string, string] };
      LoggingConfig: { LogGroup: { Ref: string } };
    };
    const ownLogs = `<${LoggingConfig.LogGroup.Ref}.Arn>`;
    const always = [
      `logs:CreateLogStream ${ownLogs}`,
      `logs:PutLogEvents ${ownLogs}`,
      ...(name === 'watch' ? [] : ['xray:PutTraceSegments *', 'xray:PutTelemetryRecords *']),
    ];
    const granted = grantsByRole()
      .get(Role['Fn::GetAtt'][0])!
      .map((line) => line.replace(/^(sqs:SendMessage) <\w+DeadLetters\w+\.Arn>$/, '$1 a queue'))
      .map((line) => line.replace(/<WorkflowWatchFunctionLive\w+>$/, 'the live watcher'));
    expect([...new Set(granted)].sort()).toEqual([...new Set([...permissions[name], ...always])].sort());
  });

  test('serves one function, and has no managed policy', () => {
    const roles = resourcesOf(synthesis.template, 'AWS::Lambda::Function').map(({ properties }) =>
      flatten(properties.Role),
    );
    expect(new Set(roles).size).toBe(functionNames.length);
    for (const { properties } of resourcesOf(synthesis.template, 'AWS::IAM::Role')) {
      expect(properties.ManagedPolicyArns).toBeUndefined();
    }
  });

  test('of the state machine allows invoking its four functions by their aliases', () => {
    const { RoleArn } = synthesis.template.Resources.StateMachine!.Properties as {
      RoleArn: { 'Fn::GetAtt': [string, string] };
    };
    const calls = grantsByRole()
      .get(RoleArn['Fn::GetAtt'][0])!
      .filter((line) => line.startsWith('lambda:'));
    expect(calls).toHaveLength(4);
    for (const call of calls) expect(call).toMatch(/^lambda:InvokeFunction <Workflow\w+FunctionLive\w+>$/);
  });

  test('of the state machine allows updating wait items only, and only requests that name an item', () => {
    const { RoleArn } = synthesis.template.Resources.StateMachine!.Properties as {
      RoleArn: { 'Fn::GetAtt': [string, string] };
    };
    const calls = grantsByRole()
      .get(RoleArn['Fn::GetAtt'][0])!
      .filter((line) => line.startsWith('dynamodb:'));
    expect(calls).toEqual([
      [
        `dynamodb:UpdateItem ${table} if ForAllValues:StringLike {"dynamodb:LeadingKeys":["wait#*"]}`,
        ' if Null {"dynamodb:LeadingKeys":"false"}',
      ].join(),
    ]);
  });

  test('allows no action by wildcard, and only listed resources with a wildcard', () => {
    for (const line of [...grantsByRole().values()].flat()) {
      const [action = '', resource = ''] = line.replace(/ if .*$/, '').split(/ (.*)/s);
      expect(action).not.toContain('*');
      if (resource.includes('*')) expect(wildcards).toContain(resource);
    }
  });

  test('allows an action on all resources only if AWS takes no resource for it', () => {
    const services = [...grantsByRole().values()].flat().filter((line) => line.endsWith(' *'));
    expect(new Set(services.map((line) => line.split(':')[0]))).toEqual(new Set(['xray', 'logs']));
  });
});
