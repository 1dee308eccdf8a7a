import { DescribeTableCommand, DescribeTimeToLiveCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetBucketVersioningCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { timeToLive } from '../../../functions/shared/table-schema.ts';
import type { Deployment } from './deployment.ts';
import { type Finding, odd, well, wrong } from './finding.ts';

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
        wrong(
          `The bucket ${Bucket} can't be reached.`,
          'Check that it was not deleted, and that you may s3:ListBucket.',
        ),
      );
      continue;
    }
    const { Status } = await s3.send(new GetBucketVersioningCommand({ Bucket }));
    if (Status !== 'Enabled') {
      findings.push(
        wrong(
          `The bucket ${Bucket} keeps no versions: an overwritten drop would take its first frame from a video under way.`,
          'aws s3api put-bucket-versioning --versioning-configuration Status=Enabled --bucket …',
        ),
      );
    }
  }
  const { Table } = await dynamoDb.send(new DescribeTableCommand({ TableName: table }));
  if (Table?.TableStatus !== 'ACTIVE')
    findings.push(wrong(`The table ${table} is ${Table?.TableStatus}.`, 'Wait, or look at it in DynamoDB.'));
  const { TimeToLiveDescription } = await dynamoDb.send(new DescribeTimeToLiveCommand({ TableName: table }));
  if (forgets && TimeToLiveDescription?.AttributeName !== timeToLive) {
    findings.push(
      odd(`The table ${table} never forgets: its time to live is not ${timeToLive}.`, 'npm run deploy sets it again.'),
    );
  }
  return findings.length > 0 ? findings : [well('Buckets and table are there, as they were deployed.')];
}
