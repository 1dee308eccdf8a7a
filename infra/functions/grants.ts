import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IConstruct } from 'constructs';
import type { indexes } from '../../functions/shared/table-schema.ts';

/** Permissions with the environment variables that name their resources, so that a function never has one without the other. */
export interface Access<Variables extends object = object> {
  readonly statements: readonly PolicyStatement[];
  readonly environment: Variables;
  /** Why each resource with a wildcard cannot be narrower, by the resource as cdk-nag writes it. */
  readonly wildcards: Readonly<Record<string, string>>;
}

type Intersection<Union> = (Union extends unknown ? (part: Union) => void : never) extends (whole: infer Whole) => void
  ? Whole
  : never;

/** Merges several accesses into one. */
export function mergeAccess<const Parts extends readonly Access[]>(
  ...parts: Parts
): Access<Intersection<Parts[number]['environment']> & object> {
  return {
    statements: parts.flatMap(({ statements }) => statements),
    environment: Object.assign({}, ...parts.map(({ environment }) => environment)),
    wildcards: Object.assign({}, ...parts.map(({ wildcards }) => wildcards)),
  };
}

/** Variables with permissions. `settings` has variables only. */
const grant = <Variables extends object>(
  environment: Variables,
  ...statements: PolicyStatement[]
): Access<Variables> => ({
  statements,
  environment,
  wildcards: {},
});

export const settings = <Variables extends object>(environment: Variables): Access<Variables> => grant(environment);

/** Actions on single items of the table. @param queried the indexes on which Query is allowed */
export function tableAccess(
  table: ITable,
  actions: readonly ('GetItem' | 'PutItem' | 'UpdateItem')[],
  ...queried: (typeof indexes)[keyof typeof indexes]['name'][]
) {
  const items = allow(table.tableArn, ...actions.map((action) => `dynamodb:${action}`));
  const queries = queried.map((index) => allow(`${table.tableArn}/index/${index}`, 'dynamodb:Query'));
  return grant({ TABLE_NAME: table.tableName }, items, ...queries, ...tableKeyStatements(table));
}

/**
 * Use of the key of a table by DynamoDB for a caller: the minimum that DynamoDB documents, except for CreateGrant, which only the
 * creator of the table needs.
 */
export const tableKeyStatements = ({ encryptionKey }: ITable): PolicyStatement[] =>
  useKey(encryptionKey, 'dynamodb', [
    'Decrypt',
    'DescribeKey',
    'Encrypt',
    'GenerateDataKey',
    'ReEncryptFrom',
    'ReEncryptTo',
  ]);

/** Use of the operator's key for a caller by one service. Without such a key, the services' own keys need no permission. */
function useKey(
  key: IKey | undefined,
  service: 'dynamodb' | 's3' | 'secretsmanager' | 'sqs',
  actions: readonly string[],
): PolicyStatement[] {
  if (!key) return [];
  const { region, urlSuffix } = Stack.of(key);
  const statement = allow(key.keyArn, ...actions.map((action) => `kms:${action}`));
  statement.addCondition('StringEquals', { 'kms:ViaService': `${service}.${region}.${urlSuffix}` });
  return [statement];
}

/** Publishing status changes. */
export const eventAccess = (bus: IEventBus) =>
  grant({ EVENT_BUS_NAME: bus.eventBusName }, allow(bus.eventBusArn, 'events:PutEvents'));

/** Actions on the rate limiters of owners and the slots of long polls, and on no other item. */
export const limiterAccess = (table: ITable, actions: readonly ('GetItem' | 'UpdateItem')[]) =>
  itemAccess(table, actions, ['requests#*', 'long_polls']);

/** Reading what operators changed in the catalogue, and the submit rate of each model. */
export const catalogueAccess = (table: ITable) => itemAccess(table, ['GetItem'], ['catalogue_changes', 'queue#*']);

/** Actions on the items whose keys match one of the patterns. */
function itemAccess(table: ITable, actions: readonly ('GetItem' | 'UpdateItem')[], leadingKeys: readonly string[]) {
  const statement = allow(table.tableArn, ...actions.map((action) => `dynamodb:${action}`));
  statement.addConditions({
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': leadingKeys },
    Null: { 'dynamodb:LeadingKeys': 'false' },
  });
  return grant({ TABLE_NAME: table.tableName }, statement, ...tableKeyStatements(table));
}

type ObjectAction = 'GetObject' | 'GetObjectVersion' | 'PutObject' | 'DeleteObject' | 'DeleteObjectVersion';

/** The prefixes of the uploads bucket: drops, uploads that no request has used yet, and the media of videos. */
type UploadsPrefix = 'drop/' | 'uploads/' | 'inputs/';

/** Actions on objects of the uploads bucket below the prefixes. */
export const uploadsAccess = (
  bucket: IBucket,
  prefixes: readonly UploadsPrefix[],
  actions: readonly ObjectAction[],
): Access<{ UPLOADS_BUCKET: string }> => ({
  ...objectAccess(bucket, prefixes, actions),
  environment: { UPLOADS_BUCKET: bucket.bucketName },
});

/** Actions on all objects of the videos bucket: a key starts with an id that is only known at run time. */
export const videosAccess = (bucket: IBucket, actions: readonly ObjectAction[]): Access<{ VIDEOS_BUCKET: string }> => ({
  ...objectAccess(bucket, [''], actions),
  environment: { VIDEOS_BUCKET: bucket.bucketName },
});

/** ListBucket, without which S3 responds 403, not 404, for a missing object. */
export const listAccess = (bucket: IBucket): Access => grant({}, allow(bucket.bucketArn, 's3:ListBucket'));

/**
 * Listing object versions, to delete superfluous ones.
 * @param prefix restricts the listing. @default - no restriction, since the ids of videos are only known at run time
 */
export function versionsAccess(bucket: IBucket, prefix?: UploadsPrefix): Access {
  const statement = allow(bucket.bucketArn, 's3:ListBucketVersions');
  if (prefix) statement.addCondition('StringLike', { 's3:prefix': `${prefix}*` });
  return grant({}, statement);
}

/** Wan's base URL and API key. */
export const wanAccess = ({ secretArn, encryptionKey }: ISecret, wanBaseUrl: string) =>
  grant(
    { WAN_SECRET_ARN: secretArn, WAN_BASE_URL: wanBaseUrl },
    allow(secretArn, 'secretsmanager:GetSecretValue'),
    ...useKey(encryptionKey, 'secretsmanager', ['Decrypt']),
  );

/** The key that signs links to files. */
export const fileLinkAccess = ({ secretArn, encryptionKey }: ISecret) =>
  grant(
    { FILE_LINK_SECRET_ARN: secretArn },
    allow(secretArn, 'secretsmanager:GetSecretValue'),
    ...useKey(encryptionKey, 'secretsmanager', ['Decrypt']),
  );

/** The secret from which the owners' webhook secrets are derived. */
export const webhookSecretAccess = ({ secretArn, encryptionKey }: ISecret) =>
  grant(
    { WEBHOOK_SECRET_ARN: secretArn },
    allow(secretArn, 'secretsmanager:GetSecretValue'),
    ...useKey(encryptionKey, 'secretsmanager', ['Decrypt']),
  );

/** Sending messages to the queue of deliveries. */
export const webhookQueueAccess = (queue: IQueue) =>
  grant({ WEBHOOK_QUEUE_URL: queue.queueUrl }, ...sendStatements(queue));

/** Sending messages to the queue of deliveries to slow and failing receivers. */
export const slowQueueAccess = (queue: IQueue) =>
  grant({ SLOW_WEBHOOK_QUEUE_URL: queue.queueUrl }, ...sendStatements(queue));

/** Receiving messages of a queue through an event source mapping. */
export const receiveAccess = ({ queueArn, encryptionMasterKey }: IQueue): Access =>
  grant(
    {},
    allow(queueArn, ...['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((action) => `sqs:${action}`)),
    ...useKey(encryptionMasterKey, 'sqs', ['Decrypt']),
  );

/** Sending messages to the queue of waiting drops, and receiving them through an event source mapping. */
export const dropQueueAccess = (queue: IQueue) => mergeAccess(sendAccess(queue), receiveAccess(queue));

/** Sending messages to the queue of waiting drops. */
export const sendAccess = (queue: IQueue) => grant({ DROP_QUEUE_URL: queue.queueUrl }, ...sendStatements(queue));

/** Sending messages to a queue. SQS decrypts its data key to reuse it. */
export const sendStatements = ({ queueArn, encryptionMasterKey }: IQueue): PolicyStatement[] => [
  allow(queueArn, 'sqs:SendMessage'),
  ...useKey(encryptionMasterKey, 'sqs', ['Decrypt', 'GenerateDataKey']),
];

/** Starting executions. */
export const startAccess = (stateMachineArn: string) =>
  grant({ STATE_MACHINE_ARN: stateMachineArn }, allow(stateMachineArn, 'states:StartExecution'));

/** Waking executions. */
export const wakeAccess = (stateMachineArn: string): Access =>
  grant({}, allow(stateMachineArn, 'states:SendTaskSuccess'));

/** Starting a watcher. */
export const watcherAccess = ({ functionArn }: { functionArn: string }) =>
  grant({ WATCHER_ARN: functionArn }, allow(functionArn, 'lambda:InvokeFunction'));

/** Reading the status of executions. */
export function executionsAccess(scope: IConstruct, stateMachineName: string): Access {
  const executions = Stack.of(scope).formatArn({
    service: 'states',
    resource: 'execution',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    resourceName: `${stateMachineName}:*`,
  });
  const reason = "Only executions of this state machine; an execution's name is only known at run time.";
  return { ...grant({}, allow(executions, 'states:DescribeExecution')), wildcards: { [executions]: reason } };
}

function objectAccess(bucket: IBucket, prefixes: readonly string[], actions: readonly ObjectAction[]): Access {
  const objects = prefixes.map((prefix) => bucket.arnForObjects(`${prefix}*`));
  const reason = 'Only objects of one bucket below one prefix; their keys are only known at run time.';
  const keyActions = [
    ...(actions.some((action) => !action.startsWith('DeleteObject')) ? ['Decrypt'] : []),
    ...(actions.includes('PutObject') ? ['GenerateDataKey'] : []),
  ];
  return {
    statements: [
      new PolicyStatement({ actions: actions.map((action) => `s3:${action}`), resources: objects }),
      ...(keyActions.length > 0 ? useKey(bucket.encryptionKey, 's3', keyActions) : []),
    ],
    environment: {},
    wildcards: Object.fromEntries(objects.map((object) => [object, reason])),
  };
}

const allow = (resource: string, ...actions: string[]): PolicyStatement =>
  new PolicyStatement({ actions, resources: [resource] });
