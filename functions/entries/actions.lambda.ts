import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { aboutRequest, apiHandler, byRoute } from '../api/http/handler.ts';
import { cancel } from '../api/videos/cancel.ts';
import { type DeleteServices, deleteVideo } from '../api/videos/delete.ts';
import { type RetryServices, retry } from '../api/videos/retry.ts';
import { wanClientOf } from '../polling/rate-limited-wan.ts';
import { dispatchOne } from '../queue/dispatch.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError, inContext } from '../shared/logging.ts';
import { createMeasure } from '../shared/metrics.ts';
import { tableOf } from '../video/table.ts';
import { dispatcherOf, placesOf, startPatience, watchedTable } from './services.ts';

const environment = readEnvironment('actions');
const logger = createLogger('actions');
const stepFunctions = new SFNClient(startPatience);
const s3 = new S3Client({});
const table = watchedTable(tableOf(new DynamoDBClient({}), environment.TABLE_NAME), {
  s3,
  measure: createMeasure(),
  logger,
});
const dispatcher = dispatcherOf(environment, table, stepFunctions);

const services: RetryServices & DeleteServices = {
  ...dispatcher,
  wan: wanClientOf(environment, new SecretsManagerClient({})),
  s3,
  videosBucket: environment.VIDEOS_BUCKET,
  uploadsBucket: environment.UPLOADS_BUCKET,
  monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
  placeInQueue: placesOf(environment, table, logger),
  dispatch: dispatchOne(dispatcher),
  logUndispatched: (video, error) =>
    logger.error('A video is not started for now.', { ...describeError(error), video_id: video.id }),
};

export const handler = inContext(
  logger,
  apiHandler(
    byRoute(services, {
      '/videos/{id}/cancel': cancel,
      '/videos/{id}/retry': retry,
      // GET of it leads elsewhere.
      '/videos/{id}': deleteVideo,
    }),
    (error, request_id) => logger.error('A request failed.', { ...describeError(error), request_id }),
  ),
  aboutRequest,
);
