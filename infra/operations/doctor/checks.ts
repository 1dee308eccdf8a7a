import { type CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { type CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeTableCommand, DescribeTimeToLiveCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeRuleCommand, type EventBridgeClient } from '@aws-sdk/client-eventbridge';
import {
  GetBucketNotificationConfigurationCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { paginateListExecutions, type SFNClient } from '@aws-sdk/client-sfn';
import { countDeliveries } from '../../../functions/events/deliveries.ts';
import { countForgottenDrops, type DropFolder } from '../../../functions/maintenance/lost-drops.ts';
import { limitsOf, readModelQueue } from '../../../functions/queue/model-queue.ts';
import { readQueue } from '../../../functions/queue/waiting.ts';
import type { LimitSettings } from '../../../functions/shared/environment.ts';
import { timeToLive } from '../../../functions/shared/table-schema.ts';
import { currentChanges } from '../../../functions/video/catalogue-changes.ts';
import type { Table } from '../../../functions/video/table.ts';
import { type CatalogueChanges, changeOf, rowNames, rowOf } from '../../../functions/wan/changes.ts';
import type { Deployment } from './deployment.ts';
import { type Finding, failure, ok, warning } from './finding.ts';

/**
 * Checks that buckets and table exist with the deployed settings.
 * @param isAws false for the stack of `npm start`, which has no time to live and no notification configuration
 */
export async function checkStorage(
  { s3, dynamoDb }: { s3: Pick<S3Client, 'send'>; dynamoDb: Pick<DynamoDBClient, 'send'> },
  { uploads_bucket, videos_bucket, table }: Deployment,
  isAws: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const Bucket of [uploads_bucket, videos_bucket]) {
    const exists = await s3.send(new HeadBucketCommand({ Bucket })).then(
      () => true,
      () => false,
    );
    if (!exists) {
      findings.push(
        failure(
          `The bucket ${Bucket} is not accessible.`,
          'Check that it exists and that your role allows s3:ListBucket.',
        ),
      );
      continue;
    }
    const { Status } = await s3.send(new GetBucketVersioningCommand({ Bucket }));
    if (Status !== 'Enabled') {
      findings.push(
        failure(
          `The bucket ${Bucket} is not versioned: an overwritten drop would replace the first frame of an open video.`,
          `aws s3api put-bucket-versioning --versioning-configuration Status=Enabled --bucket ${Bucket}`,
        ),
      );
    }
  }
  if (isAws) {
    const { EventBridgeConfiguration } = await s3.send(
      new GetBucketNotificationConfigurationCommand({ Bucket: uploads_bucket }),
    );
    if (!EventBridgeConfiguration)
      findings.push(
        failure(
          `The bucket ${uploads_bucket} sends no events: drops are only found by the sweep.`,
          `aws s3api put-bucket-notification-configuration --bucket ${uploads_bucket} --notification-configuration '{"EventBridgeConfiguration": {}}'`,
        ),
      );
  }
  const { Table } = await dynamoDb.send(new DescribeTableCommand({ TableName: table }));
  if (Table?.TableStatus !== 'ACTIVE')
    findings.push(
      failure(`The table ${table} is ${Table?.TableStatus}.`, 'Wait, or inspect it in the DynamoDB console.'),
    );
  const { TimeToLiveDescription } = await dynamoDb.send(new DescribeTimeToLiveCommand({ TableName: table }));
  if (isAws && TimeToLiveDescription?.AttributeName !== timeToLive) {
    findings.push(
      warning(
        `The table ${table} never deletes expired items: its time to live is not ${timeToLive}.`,
        'npm run deploy sets it again.',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('Buckets and table exist with the deployed settings.')];
}

/** Checks whether a model queue is paused or has more running videos than permits. */
export async function checkQueues(
  table: Table,
  limits: LimitSettings,
  file: CatalogueChanges = {},
): Promise<Finding[]> {
  const changes = await currentChanges(table, file);
  const findings: Finding[] = [];
  for (const model of rowNames(changes).map((name) => rowOf(name, changes)!)) {
    const { permits } = limitsOf(model, limits, changeOf(model.name, changes).limits);
    const { running, paused_until, pause_reason } = await readModelQueue(table, model.name);
    if (paused_until && Date.parse(paused_until) > table.now()) {
      findings.push(
        failure(
          `The queue of ${model.name} is paused until ${paused_until}: ${pause_reason}`,
          "Fix what Wan rejects (its key, the account's balance). The queue retries each minute.",
        ),
      );
    }
    if (running.size > permits) {
      findings.push(
        warning(
          `${model.name} has ${running.size} running videos with ${permits} permits.`,
          'This is expected after limits were lowered. Otherwise wait for the next sweep (5 minutes).',
        ),
      );
    }
  }
  return findings.length > 0 ? findings : [ok(`No model queue is paused. Limits: ${describeLimits(limits)}.`)];
}

const describeLimits = ({ extra_permits, models: own }: LimitSettings): string =>
  `as documented${Object.keys(own).length > 0 ? ` except for ${Object.keys(own).join(', ')}` : ''}, plus ${extra_permits} permits`;

/**
 * Reports what runs and waits. Deleting the stack cuts running executions off, and the tasks that they wait for are billed nevertheless.
 * @param stepFunctions to count running executions as well; videos that are being archived hold no permit
 */
export async function checkActivity(
  table: Table,
  file: CatalogueChanges,
  stepFunctions?: SFNClient,
  stateMachineArn?: string,
): Promise<Finding[]> {
  let [permits, waiting] = [0, 0];
  for (const name of rowNames(await currentChanges(table, file))) {
    const { running } = await readModelQueue(table, name);
    permits += running.size;
    for (const videos of (await readQueue(table, name, running)).owners.values()) waiting += videos.length;
  }
  let executions = 0;
  if (stepFunctions && stateMachineArn) {
    const pages = paginateListExecutions({ client: stepFunctions }, { stateMachineArn, statusFilter: 'RUNNING' });
    for await (const page of pages) executions += page.executions?.length ?? 0;
  }
  const running = Math.max(permits, executions);
  return [
    ok(
      running + waiting === 0
        ? 'Nothing runs and no video waits: the stack can be deleted without losing a task.'
        : `${running} videos run and ${waiting} wait. Before deleting the stack, wait until all have ended: docs/deploy.md#teardown.`,
    ),
  ];
}

/** Checks that no rule is disabled: schedules and events start everything that no caller waits for. */
export async function checkRules(
  cloudFormation: CloudFormationClient,
  eventBridge: Pick<EventBridgeClient, 'send'>,
  stackName: string,
): Promise<Finding[]> {
  const names: string[] = [];
  for await (const page of paginateListStackResources({ client: cloudFormation }, { StackName: stackName }))
    for (const { ResourceType, PhysicalResourceId } of page.StackResourceSummaries ?? [])
      if (ResourceType === 'AWS::Events::Rule' && PhysicalResourceId) names.push(PhysicalResourceId);
  const findings: Finding[] = [];
  for (const Name of names) {
    // A rule of another bus than the default one is `<bus>|<rule>`.
    const [rule, bus] = Name.split('|').reverse() as [string, string?];
    const place = bus === undefined ? {} : { EventBusName: bus };
    const { State, Description = '' } = await eventBridge.send(new DescribeRuleCommand({ Name: rule, ...place }));
    if (State === 'DISABLED')
      findings.push(
        failure(
          `The rule ${rule} is disabled. ${Description}`.trim(),
          `aws events enable-rule --name ${rule}${bus === undefined ? '' : ` --event-bus-name ${bus}`} (unless the stack is about to be deleted)`,
        ),
      );
  }
  return findings.length > 0 ? findings : [ok(`All ${names.length} rules are enabled.`)];
}

/** How long a delivery may be overdue: the dispatch function queues it within a minute, and replaces a lost message after 15. */
const OVERDUE_MINUTES = 30;

/** Counts the deliveries to webhooks that wait, and finds those that nothing delivers. */
export async function checkWebhooks(table: Table): Promise<Finding[]> {
  const count = (until: number) => countDeliveries(table, new Date(until).toISOString());
  const day = 24 * 3600_000;
  const [overdue, waiting] = [await count(table.now() - OVERDUE_MINUTES * 60_000), await count(table.now() + day)];
  if (overdue > 0)
    return [
      failure(
        `${overdue} deliveries to webhooks have been due for more than ${OVERDUE_MINUTES} minutes.`,
        'See the logs of dispatch and deliver, and docs/runbook.md#webhooks-wait-long.',
      ),
    ];
  return [ok(`No delivery to a webhook is overdue; ${waiting} wait for their next attempt.`)];
}

/** Whether CloudFormation generated a name for this stack, not for another one whose name continues this one. */
const isNameOf = (stackName: string, name: string): boolean =>
  new RegExp(`^${stackName}-[A-Za-z0-9]+-[^-]+$`).test(name);

/** 1,000 objects each: a request costs half a thousandth of a cent. */
const MAX_PAGES = 100;

/** Counts the images and manifests in the drop folder that were never accepted and are too old for the sweep. */
export async function checkDrops(folder: DropFolder): Promise<Finding[]> {
  const { count, isComplete } = await countForgottenDrops(folder, MAX_PAGES);
  const checked = isComplete ? 'The drop folder' : `Of the drop folder, the first ${MAX_PAGES * 1000} objects`;
  if (count === 0) return [ok(`${checked} holds no image or manifest that was never accepted.`)];
  return [
    warning(
      `${checked} holds ${count} images or manifests older than a day that were never accepted.`,
      'Their events were lost, or they are older than this deployment. Upload those again that should become videos.',
    ),
  ];
}

/** Checks that the stack has alarms and that no alarm is in state ALARM. */
export async function checkAlarms(cloudWatch: Pick<CloudWatchClient, 'send'>, stackName: string): Promise<Finding[]> {
  const found = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: `${stackName}-`, MaxRecords: 100 }));
  const MetricAlarms = (found.MetricAlarms ?? []).filter(({ AlarmName = '' }) => isNameOf(stackName, AlarmName));
  if (MetricAlarms.length === 0)
    return [warning(`The stack ${stackName} has no alarms.`, 'Deploy this version with npm run deploy.')];
  const active = MetricAlarms.filter(({ StateValue }) => StateValue === 'ALARM');
  if (active.length === 0) return [ok(`${MetricAlarms.length} alarms, none in state ALARM.`)];
  return active.map(({ AlarmName, AlarmDescription }) =>
    failure(`${AlarmName} is in state ALARM.`, AlarmDescription ?? 'See docs/runbook.md.'),
  );
}

/** Checks that the API responds. */
export async function checkApi(fetch: typeof globalThis.fetch, url: string): Promise<Finding[]> {
  const address = `${url.replace(/\/$/, '')}/health`;
  const response = await fetch(address, { signal: AbortSignal.timeout(10_000) }).catch((error: Error) => error);
  if (response instanceof Error)
    return [failure(`Cannot connect to ${address}.`, 'Check the address and the network.')];
  await response.body?.cancel();
  return [
    response.status === 200
      ? ok(`The API at ${url} responds.`)
      : failure(`${address} responds with ${response.status}.`, 'See the log of the health function.'),
  ];
}
