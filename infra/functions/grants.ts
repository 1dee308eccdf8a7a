import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IConstruct } from 'constructs';
import type { indexes } from '../../functions/shared/table-schema.ts';

/**
 * What a function may do and the variables that tell it where: permission and address travel together, so that neither can be
 * given without the other.
 */
export interface Access<Variables extends object = object> {
  readonly statements: readonly PolicyStatement[];
  readonly environment: Variables;
  /** Why each resource with a wildcard is as narrow as it can be, by the way cdk-nag writes it. */
  readonly wildcards: Readonly<Record<string, string>>;
}

type Intersection<Union> = (Union extends unknown ? (part: Union) => void : never) extends (whole: infer Whole) => void
  ? Whole
  : never;

/** Several accesses as one. */
export function together<const Parts extends readonly Access[]>(
  ...parts: Parts
): Access<Intersection<Parts[number]['environment']> & object> {
  return {
    statements: parts.flatMap(({ statements }) => statements),
    environment: Object.assign({}, ...parts.map(({ environment }) => environment)),
    wildcards: Object.assign({}, ...parts.map(({ wildcards }) => wildcards)),
  };
}

/** Variables that give access to nothing. */
export const settings = <Variables extends object>(environment: Variables): Access<Variables> => ({
  statements: [],
  environment,
  wildcards: {},
});

/** Single items of the table; with indexes, queries on them and on nothing else. */
export function tableAccess(
  table: ITable,
  actions: readonly ('GetItem' | 'PutItem' | 'UpdateItem')[],
  ...queried: (typeof indexes)[keyof typeof indexes]['name'][]
): Access<{ TABLE_NAME: string }> {
  const items = allow(table.tableArn, ...actions.map((action) => `dynamodb:${action}`));
  const queries = queried.map((index) => allow(`${table.tableArn}/index/${index}`, 'dynamodb:Query'));
  return { statements: [items, ...queries], environment: { TABLE_NAME: table.tableName }, wildcards: {} };
}

type ObjectAction = 'GetObject' | 'GetObjectVersion' | 'PutObject' | 'DeleteObject' | 'DeleteObjectVersion';

/** What lies in the uploads bucket: drops, uploads that wait for a request to name them, and the media of videos. */
type UploadsPrefix = 'drop/' | 'uploads/' | 'inputs/';

/** Objects of the uploads bucket below the prefixes. */
export function uploadsAccess(
  bucket: IBucket,
  prefixes: readonly UploadsPrefix[],
  actions: readonly ObjectAction[],
): Access<{ UPLOADS_BUCKET: string }> {
  return { ...objectAccess(bucket, prefixes, actions), environment: { UPLOADS_BUCKET: bucket.bucketName } };
}

/** Objects of the videos bucket: all of them are ours, and a name starts with an id that is only known at run time. */
export function videosAccess(bucket: IBucket, actions: readonly ObjectAction[]): Access<{ VIDEOS_BUCKET: string }> {
  return { ...objectAccess(bucket, [''], actions), environment: { VIDEOS_BUCKET: bucket.bucketName } };
}

/** Listing a bucket: without it S3 answers 403, not 404, for an object that is gone. */
export function listAccess(bucket: IBucket): Access {
  return { statements: [allow(bucket.bucketArn, 's3:ListBucket')], environment: {}, wildcards: {} };
}

/**
 * Listing the versions of a bucket's objects, by which what is superfluous is deleted.
 * @param prefix where alone. @default - everywhere: below the names of videos, which are only known at run time
 */
export function versionsAccess(bucket: IBucket, prefix?: UploadsPrefix): Access {
  const statement = allow(bucket.bucketArn, 's3:ListBucketVersions');
  if (prefix) statement.addCondition('StringLike', { 's3:prefix': `${prefix}*` });
  return { statements: [statement], environment: {}, wildcards: {} };
}

/** Wan's address and the key for it. */
export function wanAccess(
  secret: ISecret,
  wanBaseUrl: string,
): Access<{ WAN_SECRET_ARN: string; WAN_BASE_URL: string }> {
  return {
    statements: [allow(secret.secretArn, 'secretsmanager:GetSecretValue')],
    environment: { WAN_SECRET_ARN: secret.secretArn, WAN_BASE_URL: wanBaseUrl },
    wildcards: {},
  };
}

/** Sending messages to the queue of waiting drops, and receiving them by an event source mapping. */
export function dropQueueAccess(queue: IQueue): Access<{ DROP_QUEUE_URL: string }> {
  const actions = ['SendMessage', 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'];
  return {
    statements: [allow(queue.queueArn, ...actions.map((action) => `sqs:${action}`))],
    environment: { DROP_QUEUE_URL: queue.queueUrl },
    wildcards: {},
  };
}

/** Starting a video's workflow. */
export function startAccess(stateMachineArn: string): Access<{ STATE_MACHINE_ARN: string }> {
  return {
    statements: [allow(stateMachineArn, 'states:StartExecution')],
    environment: { STATE_MACHINE_ARN: stateMachineArn },
    wildcards: {},
  };
}

/** Waking executions of this state machine. */
export function wakeAccess(stateMachineArn: string): Access {
  return { statements: [allow(stateMachineArn, 'states:SendTaskSuccess')], environment: {}, wildcards: {} };
}

/** Starting a watcher. */
export function watcherAccess(watcher: { functionArn: string }): Access<{ WATCHER_ARN: string }> {
  return {
    statements: [allow(watcher.functionArn, 'lambda:InvokeFunction')],
    environment: { WATCHER_ARN: watcher.functionArn },
    wildcards: {},
  };
}

/** Asking how an execution of this state machine stands. */
export function executionsAccess(scope: IConstruct, stateMachineName: string): Access {
  const executions = executionsArn(scope, stateMachineName);
  return {
    statements: [allow(executions, 'states:DescribeExecution')],
    environment: {},
    wildcards: {
      [executions]: "The executions of this state machine alone; an execution's name is only known at run time.",
    },
  };
}

function objectAccess(bucket: IBucket, prefixes: readonly string[], actions: readonly ObjectAction[]): Access {
  const objects = prefixes.map((prefix) => bucket.arnForObjects(`${prefix}*`));
  const reason = 'The objects of one bucket below one prefix; their names are only known at run time.';
  return {
    statements: [new PolicyStatement({ actions: actions.map((action) => `s3:${action}`), resources: objects })],
    environment: {},
    wildcards: Object.fromEntries(objects.map((object) => [object, reason])),
  };
}

function executionsArn(scope: IConstruct, stateMachineName: string): string {
  return Stack.of(scope).formatArn({
    service: 'states',
    resource: 'execution',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    resourceName: `${stateMachineName}:*`,
  });
}

const allow = (resource: string, ...actions: string[]): PolicyStatement =>
  new PolicyStatement({ actions, resources: [resource] });
