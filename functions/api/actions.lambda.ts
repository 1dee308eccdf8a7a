import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError } from '../shared/logging.ts';
import { tableOf } from '../video/table.ts';
import { dispatchOne } from '../workflow/dispatch-one.ts';
import { dispatcherOf } from '../workflow/dispatcher.ts';
import { wanClientOf } from '../workflow/wan-client.ts';
import { apiHandler } from './api-handler.ts';
import { cancel } from './cancel-video.ts';
import { type DeleteServices, deleteVideo } from './delete-video.ts';
import { type RetryServices, retry } from './retry-video.ts';
import { byRoute } from './routes.ts';
import { startPatience } from './start-patience.ts';

const environment = readEnvironment('actions');
const logger = createLogger('actions');
const stepFunctions = new SFNClient(startPatience);
const dispatcher = dispatcherOf(environment, tableOf(new DynamoDBClient({}), environment.TABLE_NAME), stepFunctions);

const services: RetryServices & DeleteServices = {
  ...dispatcher,
  wan: wanClientOf(environment, new SecretsManagerClient({})),
  s3: new S3Client({}),
  videosBucket: environment.VIDEOS_BUCKET,
  uploadsBucket: environment.UPLOADS_BUCKET,
  monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
  dispatch: dispatchOne(dispatcher),
  logUndispatched: (video, error) =>
    logger.error('A video is not started for now.', { ...describeError(error), video_id: video.id }),
};

export const handler = apiHandler(
  byRoute(services, {
    '/videos/{id}/cancel': cancel,
    '/videos/{id}/retry': retry,
    // GET of it leads elsewhere.
    '/videos/{id}': deleteVideo,
  }),
  (error, request_id) => logger.error('A request failed.', { ...describeError(error), request_id }),
);
