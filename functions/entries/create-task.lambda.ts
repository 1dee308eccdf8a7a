import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { pacedWan, wanClientOf } from '../polling/rate-limited-wan.ts';
import type { WorkflowInput } from '../queue/execution.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger } from '../shared/logging.ts';
import { createMeasure } from '../shared/metrics.ts';
import { tableOf } from '../video/table.ts';
import { type CreateTaskServices, createTask } from '../workflow/create-task.ts';
import { mediaForWan } from '../workflow/media-urls.ts';
import { logged } from '../workflow/step-handler.ts';
import { dispatcherOf } from './services.ts';

const environment = readEnvironment('create-task');
const logger = createLogger('create-task');
// The call to Wan has a time limit that counts from its ledger entry: a write that hangs must not use it up.
const dynamoDb = new DynamoDBClient({
  requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
});
const table = tableOf(dynamoDb, environment.TABLE_NAME);
const s3 = new S3Client({});
const measure = createMeasure();
const sleep = (milliseconds: number) => setTimeout(Math.max(0, milliseconds));
const wan = pacedWan(wanClientOf(environment, new SecretsManagerClient({})), { table, measure, sleep });

const services: CreateTaskServices = {
  ...dispatcherOf(environment, table, new SFNClient({})),
  wan,
  mediaForWan: (video, transfer) => mediaForWan({ s3, wan }, video, transfer),
  mediaTransfer: environment.IMAGE_TRANSFER,
  wanRegion: environment.WAN_REGION,
  uncertainSeconds: environment.UNCERTAIN_SECONDS,
  monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
  configuredSeconds: environment.TYPICAL_SECONDS,
  measure,
  logSeveral: ({ id, run }, task_ids) =>
    logger.error('More than one task may be the one whose answer was lost.', { video_id: id, run, task_ids }),
  random: Math.random,
  sleep,
};

export const handler = logged(logger, async (input: WorkflowInput) => {
  const output = await createTask(services, input);
  logger.info('A task was asked for.', { outcome: output.outcome });
  return output;
});
