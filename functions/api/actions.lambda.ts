import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError } from '../shared/logging.ts';
import { tableOf } from '../video/table.ts';
import { dispatch } from '../workflow/dispatch.ts';
import { dispatcherOf } from '../workflow/dispatcher.ts';
import { wanClientOf } from '../workflow/wan-client.ts';
import { apiHandler } from './api-handler.ts';
import { cancel } from './cancel-video.ts';
import { type DeleteServices, deleteVideo } from './delete-video.ts';
import type { ApiRequest, Caller } from './http.ts';
import { type RetryServices, retry } from './retry-video.ts';

const environment = readEnvironment('actions');
const logger = createLogger('actions');
// The caller waits while a workflow starts, and the record stands without it: two attempts of 5 s stay well within the gateway's 29.
const stepFunctions = new SFNClient({
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
});
const dispatcher = dispatcherOf(environment, tableOf(new DynamoDBClient({}), environment.TABLE_NAME), stepFunctions);

const services: RetryServices & DeleteServices = {
  ...dispatcher,
  wan: wanClientOf(environment, new SecretsManagerClient({})),
  s3: new S3Client({}),
  videosBucket: environment.VIDEOS_BUCKET,
  uploadsBucket: environment.UPLOADS_BUCKET,
  monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
  // One start is enough for the caller to wait for; who else waits is started by the next release.
  dispatch: async (video) => void (await dispatch(dispatcher, video.model, { also: video, most: 1 })),
  logUndispatched: (video, error) =>
    logger.error('A video is not started for now.', { ...describeError(error), video_id: video.id }),
};

const routes = new Map<string, (of: typeof services, ...given: [ApiRequest, Caller]) => Promise<APIGatewayProxyResult>>(
  [
    ['/videos/{id}/cancel', cancel],
    ['/videos/{id}/retry', retry],
    // GET of it leads elsewhere.
    ['/videos/{id}', deleteVideo],
  ],
);

export const handler = apiHandler(
  (request, caller) => {
    const route = routes.get(request.resource);
    if (!route) throw new Error(`The route ${request.resource} leads here but is not known here.`);
    return route(services, request, caller);
  },
  (error, request_id) => logger.error('A request failed.', { ...describeError(error), request_id }),
);
