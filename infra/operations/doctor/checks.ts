import { type CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeTableCommand, DescribeTimeToLiveCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetBucketVersioningCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { countForgottenDrops, type DropFolder } from '../../../functions/maintenance/lost-drops.ts';
import { limitsOf, readModelQueue } from '../../../functions/queue/model-queue.ts';
import type { LimitSettings } from '../../../functions/shared/environment.ts';
import { timeToLive } from '../../../functions/shared/table-schema.ts';
import type { Table } from '../../../functions/video/table.ts';
import { models, offeredModelNames } from '../../../functions/wan/catalogue.ts';
import type { Deployment } from './deployment.ts';
import { type Finding, failure, ok, warning } from './finding.ts';

/**
 * The buckets and the table: that they are there, and as they were deployed.
 * @param forgets whether this DynamoDB deletes what is past its time; the one of `npm start` does not
 */
export async function checkStorage(
  { s3, dynamoDb }: { s3: Pick<S3Client, 'send'>; dynamoDb: Pick<DynamoDBClient, 'send'> },
  { uploads_bucket, videos_bucket, table }: Deployment,
  forgets: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const Bucket of [uploads_bucket, videos_bucket]) {
    const isThere = await s3.send(new HeadBucketCommand({ Bucket })).then(
      () => true,
      () => false,
    );
    if (!isThere) {
      findings.push(
        failure(
          `The bucket ${Bucket} can't be reached.`,
          'Check that it was not deleted, and that you may s3:ListBucket.',
        ),
      );
      continue;
    }
    const { Status } = await s3.send(new GetBucketVersioningCommand({ Bucket }));
    if (Status !== 'Enabled') {
      findings.push(
        failure(
          `The bucket ${Bucket} keeps no versions: an overwritten drop would take its first frame from a video under way.`,
          'aws s3api put-bucket-versioning --versioning-configuration Status=Enabled --bucket …',
        ),
      );
    }
  }
  const { Table } = await dynamoDb.send(new DescribeTableCommand({ TableName: table }));
  if (Table?.TableStatus !== 'ACTIVE')
    findings.push(failure(`The table ${table} is ${Table?.TableStatus}.`, 'Wait, or look at it in DynamoDB.'));
  const { TimeToLiveDescription } = await dynamoDb.send(new DescribeTimeToLiveCommand({ TableName: table }));
  if (forgets && TimeToLiveDescription?.AttributeName !== timeToLive) {
    findings.push(
      warning(
        `The table ${table} never forgets: its time to live is not ${timeToLive}.`,
        'npm run deploy sets it again.',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok('Buckets and table are there, as they were deployed.')];
}

/** The lanes: whether one is held, and whether more runs than is allowed. */
export async function checkQueues(table: Table, limits: LimitSettings): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const model of models.filter(({ name }) => offeredModelNames.some((offered) => offered === name))) {
    const lane = limitsOf(model, limits);
    const { running, paused_until, pause_reason } = await readModelQueue(table, model.name);
    if (paused_until && Date.parse(paused_until) > table.now()) {
      findings.push(
        failure(
          `${model.name} waits until ${paused_until}: ${pause_reason}`,
          "Mend what Wan refuses (its key, the account's balance); the lane tries again by itself each minute.",
        ),
      );
    }
    if (running.size > lane.permits) {
      findings.push(
        warning(
          `${model.name} has ${running.size} videos under way with ${lane.permits} permits.`,
          'Right after limits were lowered this is to be expected; else wait for the next sweep (5 minutes).',
        ),
      );
    }
  }
  return findings.length > 0 ? findings : [ok(`No lane is held; limits: ${describeLimits(limits)}.`)];
}

const describeLimits = ({ extra_permits, models: own }: LimitSettings): string =>
  `the documented ones${Object.keys(own).length > 0 ? ` but for ${Object.keys(own).join(', ')}` : ''}, ${extra_permits} permits above them`;

/** 1,000 objects each: a request costs half a thousandth of a cent. */
const MAX_PAGES = 100;

/** The drop folder: how many images and manifests were never accepted and are too old for the sweep. */
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

/** The alarms of a stack: those that ring, and whether any is there at all. */
export async function checkAlarms(cloudWatch: Pick<CloudWatchClient, 'send'>, stackName: string): Promise<Finding[]> {
  const { MetricAlarms = [] } = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: `${stackName}-` }));
  if (MetricAlarms.length === 0)
    return [warning(`The stack ${stackName} has no alarms.`, 'npm run deploy, with this version.')];
  const ringing = MetricAlarms.filter(({ StateValue }) => StateValue === 'ALARM');
  if (ringing.length === 0) return [ok(`${MetricAlarms.length} alarms, none rings.`)];
  return ringing.map(({ AlarmName, AlarmDescription }) =>
    failure(`${AlarmName} rings.`, AlarmDescription ?? 'See docs/runbook.md.'),
  );
}

/** The API: that it answers. */
export async function checkApi(fetch: typeof globalThis.fetch, url: string): Promise<Finding[]> {
  const address = `${url.replace(/\/$/, '')}/health`;
  const answer = await fetch(address, { signal: AbortSignal.timeout(10_000) }).catch((error: Error) => error);
  if (answer instanceof Error)
    return [failure(`Nothing answers at ${address}.`, 'Check the address, and that this machine reaches it.')];
  await answer.body?.cancel();
  return [
    answer.status === 200
      ? ok(`The API answers at ${url}.`)
      : failure(`The API answers ${answer.status} at ${address}.`, "Look at the health function's log."),
  ];
}
