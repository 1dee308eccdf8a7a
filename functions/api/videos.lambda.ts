import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError } from '../shared/logging.ts';
import { tableOf } from '../video/table.ts';
import { apiHandler } from './api-handler.ts';
import { type ContentServices, getContent } from './get-content.ts';
import { getVideo } from './get-video.ts';
import { listOwnVideos } from './list-own-videos.ts';
import { signLink } from './sign-link.ts';

const environment = readEnvironment('videos');
const logger = createLogger('videos');
const s3 = new S3Client({});

const services: ContentServices = {
  table: tableOf(new DynamoDBClient({}), environment.TABLE_NAME),
  linkTo: (video) => signLink(s3, video),
};

const routes = new Map([
  ['/videos', listOwnVideos],
  ['/videos/{id}', getVideo],
  ['/videos/{id}/content', getContent],
]);

export const handler = apiHandler(
  (request, caller) => {
    const route = routes.get(request.resource);
    if (!route) throw new Error(`The route ${request.resource} leads here but is not known here.`);
    return route(services, request, caller);
  },
  (error, request_id) => logger.error('A request failed.', { ...describeError(error), request_id }),
);
