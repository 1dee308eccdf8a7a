import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { refreshManifests } from '../drops/manifest-refresh.ts';
import { dispatch, startAgain } from '../queue/dispatch.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, inContext } from '../shared/logging.ts';
import { tableOf } from '../video/table.ts';
import { offeredModelNames } from '../wan/catalogue.ts';
import { dispatcherOf } from './services.ts';

const environment = readEnvironment('dispatch');
const logger = createLogger('dispatch');
const table = tableOf(new DynamoDBClient({}), environment.TABLE_NAME);
const dispatcher = dispatcherOf(environment, table, new SFNClient({}));
const manifests = { table, s3: new S3Client({}) };

export const handler = inContext(logger, async () => {
  // One lane's trouble is no other's.
  const lanes = await Promise.allSettled(offeredModelNames.map((model) => dispatch(dispatcher, model)));
  const started = lanes.flatMap((lane) => (lane.status === 'fulfilled' ? lane.value : []));
  for (const video_id of started) logger.info('A waiting video was started.', { video_id });
  const told = await Promise.allSettled([startAgain(dispatcher), refreshManifests(manifests)]);
  for (const work of [...lanes, ...told]) if (work.status === 'rejected') throw work.reason;
});
