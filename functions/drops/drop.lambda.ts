import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { S3ObjectCreatedNotificationEvent } from 'aws-lambda';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError } from '../shared/logging.ts';
import { tableOf } from '../video/table.ts';
import { dispatchOne } from '../workflow/dispatch-one.ts';
import { dispatcherOf } from '../workflow/dispatcher.ts';
import { type DropServices, takeDrop } from './drop.ts';
import { droppedObject } from './dropped-object.ts';
import { readObject } from './read-object.ts';

const environment = readEnvironment('drop');
const logger = createLogger('drop');
const table = tableOf(new DynamoDBClient({}), environment.TABLE_NAME);
const s3 = new S3Client({});
const dispatcher = dispatcherOf(environment, table, new SFNClient({}));

const services: DropServices = {
  table,
  defaults: environment.DROP_DEFAULTS,
  trustedOrigins: environment.TRUSTED_ORIGINS,
  wanRegion: environment.WAN_REGION,
  readObject: (object) => readObject(s3, object),
  dispatch: dispatchOne(dispatcher),
  logUndispatched: (video, error) =>
    logger.error('A video stays queued for now.', { ...describeError(error), video_id: video.id }),
};

export async function handler(event: S3ObjectCreatedNotificationEvent): Promise<void> {
  const video = await takeDrop(services, droppedObject(event));
  if (video) logger.info('A drop was taken.', { video_id: video.id, status: video.status });
}
