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
import { type CheckTaskServices, checkTask } from '../workflow/check-task.ts';
import { logged } from '../workflow/step-handler.ts';
import { dispatcherOf, watchedTable } from './services.ts';

const environment = readEnvironment('check-task');
const logger = createLogger('check-task');
const measure = createMeasure();
const table = watchedTable(tableOf(new DynamoDBClient({}), environment.TABLE_NAME), {
  s3: new S3Client({}),
  measure,
  logger,
});
const sleep = (milliseconds: number) => setTimeout(Math.max(0, milliseconds));

const services: CheckTaskServices = {
  ...dispatcherOf(environment, table, new SFNClient({})),
  wan: pacedWan(wanClientOf(environment, new SecretsManagerClient({})), { table, measure, sleep }),
  configuredSeconds: environment.TYPICAL_SECONDS,
  measure,
  random: Math.random,
  sleep,
};

export const handler = logged(logger, async (input: WorkflowInput) => {
  const output = await checkTask(services, input);
  logger.info('A task was looked at.', { outcome: output.outcome });
  return output;
});
