import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger } from '../shared/logging.ts';
import { createMeasure } from '../shared/metrics.ts';
import { tableOf } from '../video/table.ts';
import { recordFailure } from '../workflow/record-failure.ts';
import type { RecordFailureInput } from '../workflow/step-handler.ts';
import { logged } from '../workflow/step-handler.ts';
import { dispatcherOf, watchedTable } from './services.ts';

const environment = readEnvironment('record-failure');
const logger = createLogger('record-failure');
const table = watchedTable(tableOf(new DynamoDBClient({}), environment.TABLE_NAME), {
  s3: new S3Client({}),
  measure: createMeasure(),
  logger,
});
const dispatcher = dispatcherOf(environment, table, new SFNClient({}));

export const handler = logged(logger, (input: RecordFailureInput) => {
  logger.warn('A video fails.', { code: 'Error' in input.error ? input.error.Error : input.error.code });
  return recordFailure(dispatcher, input);
});
