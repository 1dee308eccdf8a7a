import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { watchedTable } from '../drops/watched-table.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger } from '../shared/logging.ts';
import { createMeasure } from '../shared/measure.ts';
import { tableOf } from '../video/table.ts';
import { dispatcherOf } from './dispatcher.ts';
import { logged } from './logged.ts';
import type { RecordFailureInput } from './payload.ts';
import { recordFailure } from './record-failure.ts';

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
