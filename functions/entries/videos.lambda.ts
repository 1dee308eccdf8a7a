import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { aboutRequest, apiHandler, byRoute } from '../api/http/handler.ts';
import { type ContentServices, getContent, linkToObject } from '../api/videos/content.ts';
import { getVideo, type VideoServices } from '../api/videos/get.ts';
import { listOwnVideos } from '../api/videos/list.ts';
import { getUsage, type UsageServices } from '../api/videos/usage.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError, inContext } from '../shared/logging.ts';
import { tableOf } from '../video/table.ts';
import { placesOf } from './services.ts';

const environment = readEnvironment('videos');
const logger = createLogger('videos');
const table = tableOf(new DynamoDBClient({}), environment.TABLE_NAME);
const s3 = new S3Client({});

const services: VideoServices & ContentServices & UsageServices = {
  table,
  placeInQueue: placesOf(environment, table, logger),
  sleep,
  linkTo: (object, file) => linkToObject(s3, object, file),
  wanRegion: environment.WAN_REGION,
  monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
};

export const handler = inContext(
  logger,
  apiHandler(
    byRoute(services, {
      '/videos': listOwnVideos,
      '/videos/{id}': getVideo,
      '/videos/{id}/content': getContent,
      '/usage': getUsage,
    }),
    (error, request_id) => logger.error('A request failed.', { ...describeError(error), request_id }),
  ),
  aboutRequest,
);
