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
export function mergeAccess<const Parts extends readonly Access[]>(
  ...parts: Parts
): Access<Intersection<Parts[number]['environment']> & object> {
  return {
    statements: parts.flatMap(({ statements }) => statements),
    environment: Object.assign({}, ...parts.map(({ environment }) => environment)),
    wildcards: Object.assign({}, ...parts.map(({ wildcards }) => wildcards)),
  };
}

/** Variables, and what a function may do with what they name: `settings` when that is nothing. */
const grant = <Variables extends object>(
  environment: Variables,
  ...statements: PolicyStatement[]
): Access<Variables> => ({
  statements,
  environment,
  wildcards: {},
});

export const settings = <Variables extends object>(environment: Variables): Access<Variables> => grant(environment);

/** Single items of the table; with indexes, queries on them and on nothing else. */
export function tableAccess(
  table: ITable,
  actions: readonly ('GetItem' | 'PutItem' | 'UpdateItem')[],
  ...queried: (typeof indexes)[keyof typeof indexes]['name'][]
) {
  const items = allow(table.tableArn, ...actions.map((action) => `dynamodb:${action}`));
  const queries = queried.map((index) => allow(`${table.tableArn}/index/${index}`, 'dynamodb:Query'));
  return grant({ TABLE_NAME: table.tableName }, items, ...queries);
}

type ObjectAction = 'GetObject' | 'GetObjectVersion' | 'PutObject' | 'DeleteObject' | 'DeleteObjectVersion';

/** What lies in the uploads bucket: drops, uploads that wait for a request to name them, and the media of videos. */
type UploadsPrefix = 'drop/' | 'uploads/' | 'inputs/';

/** Objects of the uploads bucket below the prefixes. */
export const uploadsAccess = (
  bucket: IBucket,
  prefixes: readonly UploadsPrefix[],
  actions: readonly ObjectAction[],
): Access<{ UPLOADS_BUCKET: string }> => ({
  ...objectAccess(bucket, prefixes, actions),
  environment: { UPLOADS_BUCKET: bucket.bucketName },
});

/** Objects of the videos bucket: all of them are ours, and a name starts with an id that is only known at run time. */
export const videosAccess = (bucket: IBucket, actions: readonly ObjectAction[]): Access<{ VIDEOS_BUCKET: string }> => ({
  ...objectAccess(bucket, [''], actions),
  environment: { VIDEOS_BUCKET: bucket.bucketName },
});

/** Listing a bucket: without it S3 answers 403, not 404, for an object that is gone. */
export const listAccess = (bucket: IBucket): Access => grant({}, allow(bucket.bucketArn, 's3:ListBucket'));

/**
 * Listing the versions of a bucket's objects, by which what is superfluous is deleted.
 * @param prefix where alone. @default - everywhere: below the names of videos, which are only known at run time
 */
export function versionsAccess(bucket: IBucket, prefix?: UploadsPrefix): Access {
  const statement = allow(bucket.bucketArn, 's3:ListBucketVersions');
  if (prefix) statement.addCondition('StringLike', { 's3:prefix': `${prefix}*` });
  return grant({}, statement);
}

/** Wan's address and the key for it. */
export const wanAccess = ({ secretArn }: ISecret, wanBaseUrl: string) =>
  grant({ WAN_SECRET_ARN: secretArn, WAN_BASE_URL: wanBaseUrl }, allow(secretArn, 'secretsmanager:GetSecretValue'));

/** Sending messages to the queue of waiting drops, and receiving them by an event source mapping. */
export function dropQueueAccess({ queueArn, queueUrl }: IQueue) {
  const actions = ['SendMessage', 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'];
  return grant({ DROP_QUEUE_URL: queueUrl }, allow(queueArn, ...actions.map((action) => `sqs:${action}`)));
}

/** Sending messages to the queue of waiting drops. */
export const sendAccess = ({ queueArn, queueUrl }: IQueue) =>
  grant({ DROP_QUEUE_URL: queueUrl }, allow(queueArn, 'sqs:SendMessage'));

/** Starting a video's workflow. */
export const startAccess = (stateMachineArn: string) =>
  grant({ STATE_MACHINE_ARN: stateMachineArn }, allow(stateMachineArn, 'states:StartExecution'));

/** Waking executions of this state machine. */
export const wakeAccess = (stateMachineArn: string): Access =>
  grant({}, allow(stateMachineArn, 'states:SendTaskSuccess'));

/** Starting a watcher. */
export const watcherAccess = ({ functionArn }: { functionArn: string }) =>
  grant({ WATCHER_ARN: functionArn }, allow(functionArn, 'lambda:InvokeFunction'));

/** Asking how an execution of this state machine stands. */
export function executionsAccess(scope: IConstruct, stateMachineName: string): Access {
  const executions = Stack.of(scope).formatArn({
    service: 'states',
    resource: 'execution',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    resourceName: `${stateMachineName}:*`,
  });
  const reason = "The executions of this state machine alone; an execution's name is only known at run time.";
  return { ...grant({}, allow(executions, 'states:DescribeExecution')), wildcards: { [executions]: reason } };
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

const allow = (resource: string, ...actions: string[]): PolicyStatement =>
  new PolicyStatement({ actions, resources: [resource] });
