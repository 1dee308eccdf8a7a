import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { type DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListBucketsCommand, type S3Client } from '@aws-sdk/client-s3';
import { ListSecretsCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DescribeStateMachineCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { AwsCall } from '../aws-call.ts';
import type { Account } from './account.ts';
import { type Finding, failure, ok, warning } from './finding.ts';

export interface LeftoverServices {
  aws: AwsCall;
  cloudFormation: Pick<CloudFormationClient, 'send'>;
  dynamoDb: Pick<DynamoDBClient, 'send'>;
  s3: Pick<S3Client, 'send'>;
  secrets: Pick<SecretsManagerClient, 'send'>;
  stepFunctions: Pick<SFNClient, 'send'>;
}

/**
 * Checks whether a stack of this name can be created or updated.
 * @returns whether the stack owns resources
 */
export async function checkStackStatus(
  cloudFormation: LeftoverServices['cloudFormation'],
  stackName: string,
): Promise<{ findings: Finding[]; exists: boolean }> {
  const { Stacks = [] } = await cloudFormation
    .send(new DescribeStacksCommand({ StackName: stackName }))
    .catch((error: Error) => {
      if (error.name === 'ValidationError') return { Stacks: [] };
      throw error;
    });
  const status = Stacks[0]?.StackStatus;
  if (!status) return { exists: false, findings: [ok(`There is no stack ${stackName} yet.`)] };
  if (/^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED|DELETE_FAILED|REVIEW_IN_PROGRESS)$/.test(status)) {
    return {
      exists: false,
      findings: [
        failure(
          `The stack ${stackName} is ${status}, and CloudFormation cannot update it.`,
          `aws cloudformation delete-stack --stack-name ${stackName}`,
        ),
      ],
    };
  }
  if (/_IN_PROGRESS$/.test(status))
    return {
      exists: true,
      findings: [
        failure(
          `The stack ${stackName} is ${status}.`,
          `aws cloudformation wait stack-${status.startsWith('DELETE') ? 'delete' : status.startsWith('CREATE') ? 'create' : 'update'}-complete --stack-name ${stackName}`,
        ),
      ],
    };
  return { exists: true, findings: [ok(`The stack ${stackName} can be updated (${status}).`)] };
}

/** Checks that the state machine of a deleted stack is gone: it has a fixed name, and is deleted when its last execution has ended. */
export async function checkOldStateMachine(
  stepFunctions: LeftoverServices['stepFunctions'],
  { id, partition, region }: Account,
  stackName: string,
): Promise<Finding[]> {
  const stateMachineArn = `arn:${partition}:states:${region}:${id}:stateMachine:${stackName}-videos`;
  const found = await stepFunctions.send(new DescribeStateMachineCommand({ stateMachineArn })).catch((error: Error) => {
    if (error.name === 'StateMachineDoesNotExist') return undefined;
    throw error;
  });
  if (!found) return [];
  if (found.status === 'DELETING')
    return [
      failure(
        `The state machine ${stackName}-videos of a deleted stack is still DELETING: it waits for its executions, and until then a deployment fails.`,
        `aws stepfunctions list-executions --state-machine-arn ${stateMachineArn} --status-filter RUNNING`,
      ),
    ];
  return [
    failure(
      `There is a state machine ${stackName}-videos, but no stack ${stackName} that owns it.`,
      `aws stepfunctions delete-state-machine --state-machine-arn ${stateMachineArn}`,
    ),
  ];
}

/**
 * Finds what deleted stacks and failed deployments of this name left behind: buckets, the protected table, the secret, log groups.
 * None of it blocks a deployment, which creates new ones.
 * @param owned names or ARNs of the resources that belong to the deployed stack
 */
export async function checkLeftovers(
  { aws, dynamoDb, s3, secrets }: LeftoverServices,
  stackName: string,
  owned: ReadonlySet<string> = new Set(),
): Promise<Finding[]> {
  const prefix = `${stackName.toLowerCase()}-`;
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({ Prefix: prefix }));
  const buckets = Buckets.flatMap(({ Name = '' }) =>
    new RegExp(`^${prefix}(uploads|videos)bucket-`).test(Name) ? [Name] : [],
  );
  const tables: string[] = [];
  let start: string | undefined;
  do {
    const page = await dynamoDb.send(new ListTablesCommand(start ? { ExclusiveStartTableName: start } : {}));
    tables.push(...(page.TableNames ?? []).filter((name) => name.startsWith(`${stackName}-VideosTable-`)));
    start = page.LastEvaluatedTableName;
  } while (start);
  const { SecretList = [] } = await secrets.send(
    new ListSecretsCommand({ Filters: [{ Key: 'name', Values: ['WanApiKey-', 'WebhookKey-'] }], MaxResults: 100 }),
  );
  const secretArns = SecretList.flatMap(({ ARN = '', Tags = [] }) =>
    Tags.some(({ Key, Value }) => Key === 'aws:cloudformation:stack-name' && Value === stackName) ? [ARN] : [],
  );
  const warn = (what: string, fix: (name: string) => string) => (name: string) =>
    warning(`${what} ${name} was left by an earlier stack ${stackName}. Keep it if you need its data.`, fix(name));
  const foreign = (names: string[]) => names.filter((name) => !owned.has(name));
  const findings = [
    ...foreign(buckets).map(
      warn(
        'The bucket',
        (name) => `Empty it as in docs/deploy.md#teardown, then: aws s3api delete-bucket --bucket ${name}`,
      ),
    ),
    ...foreign(tables).map(
      warn(
        'The table',
        (name) =>
          `aws dynamodb update-table --table-name ${name} --no-deletion-protection-enabled && aws dynamodb delete-table --table-name ${name}`,
      ),
    ),
    ...foreign(secretArns).map(
      warn('The secret', (name) => `aws secretsmanager delete-secret --secret-id ${name} --recovery-window-in-days 7`),
    ),
    // The log groups of a deployed stack are its own.
    ...(owned.size > 0 ? [] : await logGroups(aws, stackName)).map(
      warn('The log group', (name) => `aws logs delete-log-group --log-group-name ${name}`),
    ),
  ];
  return findings.length > 0 ? findings : [ok(`No resources of an earlier stack ${stackName} are left.`)];
}

async function logGroups(aws: AwsCall, stackName: string): Promise<string[]> {
  const find = async (logGroupNamePrefix: string, name: RegExp): Promise<string[]> => {
    const body = await aws({
      service: 'logs',
      target: 'Logs_20140328.DescribeLogGroups',
      input: { logGroupNamePrefix },
    });
    const { logGroups = [] } = JSON.parse(body) as { logGroups?: { logGroupName: string }[] };
    return logGroups.map(({ logGroupName }) => logGroupName).filter((found) => name.test(found));
  };
  const vended = `/aws/vendedlogs/states/${stackName}-videos-`;
  // The prefixes also match another stack whose name continues this one.
  return [
    ...(await find(`${stackName}-`, new RegExp(`^${stackName}-[A-Za-z0-9]+-[A-Za-z0-9]+$`))),
    ...(await find(vended, new RegExp(`^${vended}[0-9a-f-]{36}$`))),
  ];
}
