import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { health } from '../api/videos/health.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError, inContext } from '../shared/logging.ts';
import { tableOf } from '../video/table.ts';

const environment = readEnvironment('health');
const logger = createLogger('health');
const table = tableOf(new DynamoDBClient({}), environment.TABLE_NAME);

export const handler = inContext(logger, () =>
  health(table, (error) => logger.error('The table does not answer.', describeError(error))),
);
